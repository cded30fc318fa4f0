"""The head of a profile as a user writes one: two capsules, small batches, no stage left out."""

HEAD = """\
mode = "paired"
family = "seanet"
description = "mine"

[defaults]
data = "eigenscape"
model = "seanet"
trainer = "paired"

[data]
items_per_epoch = 100
batch_size = 4
val_batch_size = 4
capsules = { count = 2, policy = "random_distinct", geometry = "any" }

"""

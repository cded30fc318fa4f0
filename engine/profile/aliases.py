"""Other names of keys and profiles: every one that the documents of the united projects print."""

from __future__ import annotations

KEY_ALIASES: dict[str, str] = {
    "data.eval_dataloader.batch_size": "data.val_batch_size",
    "data.num_workers": "data.prefetch_batches",
    "data.train_dataloader.batch_size": "data.batch_size",
    "data.train_dataloader.num_workers": "data.prefetch_batches",
    "datasets.batch_size": "data.batch_size",
    "datasets.fixed_length": "data.items_per_epoch",
    "epochs": "trainer.max_epochs",
    "log_interval": "trainer.log_every_n_steps",
    "model.n_q": "model.quantizer.num_codebooks",
    "model.target_bandwidths": "model.quantizer.bandwidths",
    "num_workers": "data.prefetch_batches",
    "pairwise.div_weight": "trainer.loss_config.pairwise.weights.diversity",
    "pairwise.sim_weight": "trainer.loss_config.pairwise.weights.similarity",
    "trainer.epochs": "trainer.max_epochs",
    "trainer.log_interval": "trainer.log_every_n_steps",
}

BRANCH_ALIASES: dict[str, str] = {"trainer.trainer": "trainer"}
"""Everything below the first stands below the second."""

PROFILE_ALIASES: dict[str, str] = {
    "config_mono_nq2": "mono",
    "config_paired_nq2": "paired",
}
"""Values of `--config-name`, which are also names of profiles."""

FLAG_ALIASES: dict[str, str] = {"1ch": "baseline-1ch", "32ch": "baseline-32ch"}
"""Options of `train` without a value that choose a profile."""


def canonical_key(key: str) -> str:
    """The key of the profile tree that a dotted key means; itself when it is no alias."""
    for branch, target in BRANCH_ALIASES.items():
        if key.startswith(f"{branch}."):
            key = target + key[len(branch) :]
    return KEY_ALIASES.get(key, key)

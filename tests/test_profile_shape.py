"""Allowed values in words."""

from __future__ import annotations

import pytest

from codecctl.engine.profile.schema import Profile
from codecctl.engine.profile.shape import shape_of

OPTIMIZERS = (
    "'Adadelta', 'Adafactor', 'Adagrad', 'Adam', 'AdamW', 'Adamax', 'ASGD', 'NAdam', 'RAdam', "
    "'RMSprop', 'Rprop'"
)
SHAPE = shape_of(Profile)


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("trainer.seed", "a whole number at least 0"),
        ("trainer.optimizer.config.lr", "a number above 0"),
        ("trainer.optimizer.config.betas", "a list of 2, each a number at least 0 and below 1"),
        ("trainer.discriminator.update_probability", "a number above 0 and at most 1"),
        ("data.rate", "a whole number from 1000 to 768000"),
        ("data.silence_db", "a number at most 0"),
        ("data.pin_memory", "true or false"),
        ("data.store", "text that is not empty"),
        ("data.train_scenes", "a list, each text that is not empty"),
        ("model.generator.strides", "a list of at least one, each a whole number at least 1"),
        ("model.generator.skip", "'conv1x1' or 'identity'"),
        ("trainer.num_gpus", "'auto' or a whole number at least 0"),
        (
            "trainer.stages",
            "a list, each a table of name, length, weights, optimizer, scheduler, ... (8 keys)",
        ),
        ("trainer.wandb", "a table of use_wandb, project, run_name, mode"),
        ("trainer.loss_config.reconstruction.time.config", "a table of kind"),
        ("trainer.optimizer", "a table of type " + OPTIMIZERS + " or 'SGD'"),
        ("model.generator", "a table of type 'seanet' or 'soundstream'"),
        ("model.discriminators.0.leak", "a number from 0 to 1"),
        (
            "model.discriminators.1.factors",
            "a list of at least one, each a whole number at least 1",
        ),
    ],
)
def test_a_key_says_what_it_allows(key: str, allowed: str) -> None:
    values: dict[str, object] = {
        "trainer": {"optimizer": {"type": "Adam"}},
        "model": {
            "generator": {"type": "seanet"},
            "discriminators": [{"type": "ms_stft"}, {"type": "wave"}],
        },
    }
    shape = SHAPE.at(tuple(key.split(".")), values)
    assert shape is not None
    assert shape.allowed == allowed


def test_a_key_that_does_not_exist_allows_nothing() -> None:
    assert SHAPE.at(("trainer", "sede"), {}) is None
    assert SHAPE.at(("trainer", "seed", "deeper"), {}) is None


def test_a_long_table_names_its_first_keys_and_their_number() -> None:
    data = SHAPE.fields["data"]
    assert data.allowed.endswith(
        f"store, rate, segment_seconds, min_source_seconds, capsules, ... ({len(data.fields)} keys)"
    )


def test_leaves_are_every_key_that_holds_a_value() -> None:
    leaves = {".".join(key) for key in SHAPE.leaves()}
    assert {"trainer.optimizer.config.lr", "data.capsules.count", "mode"} <= leaves
    assert "trainer.optimizer" not in leaves


def test_every_section_and_most_keys_say_what_they_mean() -> None:
    schema = Profile.model_json_schema()
    tables = schema["$defs"].values()
    assert all(table.get("description") for table in tables)

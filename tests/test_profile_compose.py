"""The order in which files, options and overrides are laid over each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.schema_model import ResidualQuantizer
from codecctl.engine.profile.shape import Key, content
from codecctl.errors import ProfileError
from tests.own_profile import HEAD

SEARCH = (PACKAGED,)
PLAIN = load_profile("paired", search=SEARCH)
VALUES = PLAIN.profile.model_dump(mode="json")

MINE = (
    HEAD
    + """\
[model.quantizer]
num_codebooks = 4

[trainer.optimizer]
type = "AdamW"
"""
)


@pytest.fixture
def search(tmp_path: Path) -> tuple[Path, ...]:
    (tmp_path / "mine.toml").write_text(MINE)
    for group in ("data", "model", "trainer"):
        (tmp_path / group).mkdir()
    return (PACKAGED, tmp_path)


def option(search: tuple[Path, ...], name: str, text: str) -> None:
    (search[-1] / name).write_text(text)


def test_the_profile_itself_wins_over_its_default_options(search: tuple[Path, ...]) -> None:
    mine = load_profile("mine", search=search)
    quantizer = mine.profile.model.quantizer
    assert isinstance(quantizer, ResidualQuantizer)
    assert (quantizer.num_codebooks, quantizer.codebook_size) == (4, 1024)
    assert mine.profile.trainer.optimizer.type == "AdamW"
    assert mine.profile.trainer.optimizer.config.lr == 3e-4
    assert mine.provenance["model.quantizer.num_codebooks"].endswith("mine.toml")
    assert mine.provenance["model.quantizer.codebook_size"].endswith("model/seanet.toml")


def test_an_option_of_the_command_line_wins_over_the_profile(search: tuple[Path, ...]) -> None:
    chosen = load_profile("mine", ["model=seanet", "trainer=paired"], search=search)
    quantizer = chosen.profile.model.quantizer
    assert isinstance(quantizer, ResidualQuantizer) and quantizer.num_codebooks == 2
    assert chosen.profile.trainer.optimizer.type == "Adam"
    assert chosen.profile.data == load_profile("mine", search=search).profile.data


def test_what_only_the_profile_says_survives_another_option(search: tuple[Path, ...]) -> None:
    packaged = (PACKAGED / "data/eigenscape.toml").read_text()
    option(search, "data/low.toml", packaged.replace("24000", "12000"))
    low = load_profile("mine", ["data=low"], search=search)
    assert low.profile.data.rate == 12000
    assert low.profile.data.batch_size == 4
    assert low.profile.defaults.data == "low"
    assert low.provenance["defaults.data"] == "override data=low"


def test_values_of_the_replaced_option_do_not_shine_through(search: tuple[Path, ...]) -> None:
    packaged = (PACKAGED / "data/eigenscape.toml").read_text()
    option(search, "data/gap.toml", packaged.replace("val_seed = 42", ""))
    with pytest.raises(ProfileError, match=r"gap\.toml:\d+: data\.val_seed: is missing"):
        load_profile("mine", ["data=gap"], search=search)


def test_an_overlay_changes_what_it_names_and_nothing_else(search: tuple[Path, ...]) -> None:
    option(search, "trainer/slow.toml", "overlay = true\n[trainer.optimizer.config]\nlr = 1e-6")
    slow = load_profile("paired", ["trainer=slow"], search=search).profile
    changed = slow.model_dump(mode="json")
    changed["trainer"]["optimizer"]["config"]["lr"] = 3e-4
    assert changed == VALUES


def test_an_overlay_may_reach_into_other_groups(search: tuple[Path, ...]) -> None:
    option(
        search,
        "trainer/all.toml",
        "overlay = true\n[data]\nval_items = 3\n[model]\nnormalize = 'none'",
    )
    profile = load_profile("paired", ["trainer=all"], search=search).profile
    assert (profile.data.val_items, profile.model.normalize) == (3, "none")


def test_overlays_stack_in_the_order_of_the_command_line(search: tuple[Path, ...]) -> None:
    option(search, "trainer/a.toml", "overlay = true\n[trainer]\nseed = 1\nmax_epochs = 11")
    option(search, "trainer/b.toml", "overlay = true\n[trainer]\nseed = 2")
    trainer = load_profile("paired", ["trainer=a", "trainer=b"], search=search).profile.trainer
    assert (trainer.seed, trainer.max_epochs) == (2, 11)
    trainer = load_profile("paired", ["trainer=b", "trainer=a"], search=search).profile.trainer
    assert trainer.seed == 1


def test_a_complete_option_takes_the_place_of_an_overlay_before_it(
    search: tuple[Path, ...],
) -> None:
    resolved = load_profile("paired", ["model=tiny", "model=seanet"], search=search)
    assert resolved.profile.model == PLAIN.profile.model


def test_values_come_after_options_wherever_they_stand() -> None:
    resolved = load_profile("paired", ["trainer.max_steps=7", "trainer=demo"], search=SEARCH)
    assert resolved.profile.trainer.max_steps == 7


def test_of_two_values_the_right_one_stays() -> None:
    resolved = load_profile("paired", ["trainer.seed=1", "trainer.seed=2"], search=SEARCH)
    assert resolved.profile.trainer.seed == 2
    assert resolved.provenance["trainer.seed"] == "override trainer.seed=2"
    assert resolved.overrides == ("trainer.seed=1", "trainer.seed=2")


def test_a_reset_undoes_overlays_and_earlier_values_at_its_key_only() -> None:
    overrides = ["trainer=demo", "trainer.wandb.project=x", "trainer.seed=9", "~trainer.wandb"]
    resolved = load_profile("paired", overrides, search=SEARCH)
    assert resolved.profile.trainer.wandb == PLAIN.profile.trainer.wandb
    assert resolved.profile.trainer.seed == 9
    assert resolved.profile.trainer.num_gpus == 0
    assert resolved.provenance["trainer.wandb.use_wandb"].endswith("trainer/paired.toml")


def test_a_value_after_a_reset_counts() -> None:
    overrides = ["trainer.seed=1", "~trainer", "trainer.seed=2"]
    assert load_profile("paired", overrides, search=SEARCH).profile.trainer.seed == 2


def test_a_reset_keeps_the_chosen_option(search: tuple[Path, ...]) -> None:
    packaged = (PACKAGED / "data/eigenscape.toml").read_text()
    option(search, "data/low.toml", packaged.replace("24000", "12000"))
    overrides = ["data=low", "data.rate=48000", "~data.rate"]
    assert load_profile("paired", overrides, search=search).profile.data.rate == 12000


def test_the_step_of_a_start_takes_the_place_of_its_epoch() -> None:
    overrides = ["trainer.discriminator.start.step=100"]
    start = load_profile("paired", overrides, search=SEARCH).profile.trainer.discriminator.start
    assert start.model_dump() == {"step": 100}
    assert start.first_step(1725) == 100


def test_another_optimizer_keeps_the_settings_that_both_know() -> None:
    optimizer = load_profile(
        "paired", ["trainer.optimizer.type=AdamW"], search=SEARCH
    ).profile.trainer.optimizer
    assert optimizer.type == "AdamW"
    assert optimizer.config == PLAIN.profile.trainer.optimizer.config


def test_entries_of_the_discriminators_are_set_by_position_or_all() -> None:
    for position in ("0", "*"):
        overrides = [f"model.discriminators.{position}.num_filters=5"]
        model = load_profile("paired", overrides, search=SEARCH).profile.model
        assert model.discriminators[0].num_filters == 5
        assert model.generator == PLAIN.profile.model.generator


def test_scenes_may_be_written_with_spaces() -> None:
    overrides = ['data.train_scenes=["Busy Street", "Park"]']
    scenes = load_profile("paired", overrides, search=SEARCH).profile.data.train_scenes
    assert scenes == ("BusyStreet", "Park")


def test_every_value_has_a_source_and_every_source_a_value() -> None:
    resolved = load_profile("paired", ["model=tiny", "trainer=demo", "epochs=8"], search=SEARCH)
    values = resolved.profile.model_dump(mode="json")
    assert set(resolved.provenance) == {".".join(key) for key in _leaves(values)}


def test_a_resolved_profile_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        PLAIN.profile.data.batch_size = 3


def _leaves(value: object, path: Key = ()) -> list[Key]:
    if isinstance(value, dict) and value:
        return [leaf for name in value for leaf in _leaves(value[name], (*path, name))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [leaf for i, item in enumerate(value) for leaf in _leaves(item, (*path, str(i)))]
    return [path]


def _get(values: object, key: Key) -> object:
    for part in key:
        values = content(values, part)
    return values


NUMBERS = [
    key
    for key in _leaves(VALUES)
    if isinstance(_get(VALUES, key), int | float) and not isinstance(_get(VALUES, key), bool)
]


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    key=st.sampled_from(NUMBERS),
    number=st.integers(-3, 400) | st.floats(-2, 400, allow_nan=False),
)
def test_a_number_at_any_key_is_taken_exactly_or_refused_by_name(key: Key, number: float) -> None:
    written = ".".join(key)
    try:
        resolved = load_profile("paired", [f"{written}={number!r}"], search=SEARCH)
    except ProfileError as error:
        assert all(line.startswith(f"override {written}={number!r}: ") for line in error.problems)
        return
    values = resolved.profile.model_dump(mode="json")
    assert _get(values, key) == number
    others = {leaf for leaf in _leaves(VALUES) if leaf != key}
    changed = {leaf for leaf in others if _get(values, leaf) != _get(VALUES, leaf)}
    assert changed <= {("trainer", "discriminator", "start", "epoch")}
    assert resolved.provenance[written] == f"override {written}={number!r}"


def test_the_property_above_looks_at_most_of_the_profile() -> None:
    assert len(NUMBERS) >= 60
    assert isinstance(PLAIN.profile, Profile)

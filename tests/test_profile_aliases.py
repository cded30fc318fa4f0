"""Every key, profile and option that the documents print means what it meant there."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.engine.profile import aliased_options, load_profile
from codecctl.engine.profile.aliases import BRANCH_ALIASES, KEY_ALIASES, canonical_key
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.schema import MODES
from codecctl.engine.profile.shape import shape_of
from codecctl.errors import NotFoundError, UsageError

SEARCH = (PACKAGED,)


PRINTED: list[tuple[str, object, str]] = [
    ("trainer.trainer.max_epochs", 7, "trainer.max_epochs"),
    ("trainer.trainer.max_steps", 7, "trainer.max_steps"),
    ("trainer.trainer.gradient_clip_val", 0.5, "trainer.gradient_clip_val"),
    ("trainer.trainer.accumulate_grad_batches", 2, "trainer.accumulate_grad_batches"),
    ("trainer.trainer.save_every_n_epochs", 3, "trainer.save_every_n_epochs"),
    ("trainer.trainer.check_val_every_n_epoch", 2, "trainer.check_val_every_n_epoch"),
    ("trainer.trainer.log_every_n_steps", 5, "trainer.log_every_n_steps"),
    ("trainer.epochs", 7, "trainer.max_epochs"),
    ("trainer.log_interval", 7, "trainer.log_every_n_steps"),
    ("trainer.trainer.epochs", 7, "trainer.max_epochs"),
    ("trainer.trainer.log_interval", 7, "trainer.log_every_n_steps"),
    ("epochs", 7, "trainer.max_epochs"),
    ("log_interval", 7, "trainer.log_every_n_steps"),
    ("num_workers", 2, "data.prefetch_batches"),
    ("data.num_workers", 2, "data.prefetch_batches"),
    ("data.train_dataloader.batch_size", 3, "data.batch_size"),
    ("data.train_dataloader.num_workers", 3, "data.prefetch_batches"),
    ("data.eval_dataloader.batch_size", 3, "data.val_batch_size"),
    ("datasets.batch_size", 3, "data.batch_size"),
    ("datasets.fixed_length", 100, "data.items_per_epoch"),
    ("pairwise.sim_weight", 0.25, "trainer.loss_config.pairwise.weights.similarity"),
    ("pairwise.div_weight", 0.25, "trainer.loss_config.pairwise.weights.diversity"),
    ("model.n_q", 3, "model.quantizer.num_codebooks"),
    ("model.target_bandwidths", [1.5], "model.quantizer.bandwidths"),
    ("trainer.trainer.devices", 0, "trainer.num_gpus"),
    ("trainer.devices", 0, "trainer.num_gpus"),
    ("trainer.trainer.limit_train_batches", 7, "trainer.limit_train_batches"),
    ("trainer.trainer.limit_val_batches", 0.5, "trainer.limit_val_batches"),
    ("trainer.trainer.strict_deterministic", "true", "trainer.strict_deterministic"),
    ("trainer.val_check_interval", 0.25, "trainer.val_every_n_steps"),
    ("data.sample_rate", 48000, "data.rate"),
    ("trainer.val_check_interval", 7, "trainer.val_every_n_steps"),
    ("model.autoencoder.pre_transform", "none", "model.pre_transform"),
    ("trainer.optimizer.config.lr", 1e-3, "trainer.optimizer.config.lr"),
]

OF_SPECTROGRAMS = {"data.hop_length", "data.n_fft", "data.normalized", "data.win_length"}
"""Keys that only a spectral profile has: test_guide_commands."""


@pytest.mark.parametrize(("printed", "value", "canonical"), PRINTED)
def test_a_printed_key_sets_its_canonical_key(printed: str, value: object, canonical: str) -> None:
    # Warm-up and batches have to fit the few epochs and items that some of these set.
    fitting = ["trainer.scheduler.enabled=false", "trainer.discriminator.scheduler.enabled=false"]
    resolved = load_profile("paired", [*fitting, f"{printed}={value}"], search=SEARCH)
    found: object = resolved.profile
    for part in canonical.split("."):
        found = dict(found)[part]  # type: ignore[call-overload]  # a pydantic model iterates over pairs
    value = {"true": True}.get(value, value) if isinstance(value, str) else value
    assert found == (tuple(value) if isinstance(value, list) else value)
    assert resolved.provenance[canonical].startswith(f"override {printed}=")


def test_the_list_of_bandwidths_is_read_as_the_document_writes_it() -> None:
    written = "model.target_bandwidths=[1.5, 3., 6., 12., 24.]"
    quantizer = load_profile("paired", [written], search=SEARCH).profile.model.quantizer
    assert quantizer.model_dump()["bandwidths"] == (1.5, 3.0, 6.0, 12.0, 24.0)


def test_every_row_of_the_table_of_aliases_is_used_by_that_test() -> None:
    used = {printed for printed, _, _ in PRINTED}
    assert set(KEY_ALIASES) - used == OF_SPECTROGRAMS
    assert all(any(name.startswith(f"{branch}.") for name in used) for branch in BRANCH_ALIASES)


@pytest.mark.parametrize(("printed", "value", "canonical"), PRINTED)
def test_profile_show_prints_the_canonical_name(
    printed: str, value: object, canonical: str
) -> None:
    fitting = ["trainer.scheduler.enabled=false", "trainer.discriminator.scheduler.enabled=false"]
    done = CliRunner().invoke(app, ["profile", "show", "paired", *fitting, f"{printed}={value}"])
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stdout.splitlines() if f"override {printed}={value}" in line]
    assert line.split()[0] == canonical


@pytest.mark.parametrize(
    ("word", "meaning"), [("ema", "correct"), ("ema_encodec", "encodec"), ("encodec", "encodec")]
)
def test_the_issues_words_for_updates_of_codebooks_mean_the_profiles(
    word: str, meaning: str
) -> None:
    resolved = load_profile("paired", [f"model.quantizer.ema={word}"], search=SEARCH)
    assert resolved.profile.model.quantizer.model_dump()["ema"] == meaning


def test_every_alias_means_a_key_of_the_schema() -> None:
    schemas = {facts.schema for facts in MODES.values()}
    leaves = {".".join(key) for schema in schemas for key in shape_of(schema).leaves()}
    assert set(KEY_ALIASES.values()) <= leaves
    assert not set(KEY_ALIASES) & leaves


def test_a_canonical_key_is_its_own_name() -> None:
    assert canonical_key("trainer.max_epochs") == "trainer.max_epochs"
    assert canonical_key("trainer.trainers") == "trainer.trainers"


@pytest.mark.parametrize(
    ("arguments", "meaning"),
    [
        (["--config-name=config_paired_nq2"], ("paired", [])),
        (["--config-name", "config_paired_nq2"], ("paired", [])),
        (["--config-name", "config_paired_nq2.yaml"], ("paired", [])),
        (["--config-name=config_mono_nq2"], ("mono", [])),
        (["--config-name=paired"], ("paired", [])),
        (["--1ch"], ("baseline-1ch", [])),
        (["--32ch"], ("baseline-32ch", [])),
        (["--epochs", "5"], (None, ["epochs=5"])),
        (["--log-interval=10"], (None, ["log_interval=10"])),
        (["--num_workers", "2", "model=tiny"], (None, ["num_workers=2", "model=tiny"])),
        (["--pairwise.sim_weight=0.1"], (None, ["pairwise.sim_weight=0.1"])),
        (["--trainer.trainer.max_steps", "-1"], (None, ["trainer.trainer.max_steps=-1"])),
        (["~trainer.ema", "+trainer.seed=1"], (None, ["~trainer.ema", "+trainer.seed=1"])),
        ([], (None, [])),
    ],
)
def test_an_unknown_option_of_train_is_an_alias(
    arguments: list[str], meaning: tuple[str | None, list[str]]
) -> None:
    assert aliased_options(arguments) == meaning


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epoch", "5"], r"^no option --epoch; did you mean '--epochs'\?$"),
        (["--nonsense"], r"^no option --nonsense; see codecctl train --help$"),
        (["--max_epochs=5"], r"^no option --max_epochs"),
        (["--resum"], r"^no option --resum; did you mean '--resume'\?$"),
        (["-x"], r"^no option -x; see "),
        (["--epochs"], r"^--epochs: found no value, needed --epochs VALUE$"),
        (["--epochs", "--1ch"], r"^--epochs: found no value"),
        (["--1ch", "--32ch"], r"^--32ch: chooses profile 'baseline-32ch' beside 'baseline-1ch'"),
    ],
)
def test_an_option_that_is_no_alias_is_a_usage_error(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        aliased_options(arguments)


def test_the_config_name_of_the_document_is_a_profile_name() -> None:
    resolved = load_profile("config_paired_nq2", search=SEARCH)
    assert resolved.profile == load_profile("paired", search=SEARCH).profile


def test_the_printed_names_of_configurations_load_their_profiles() -> None:
    for printed, mode in (("config_mono_nq2", "mono"), ("config_paired_nq2", "paired")):
        assert load_profile(printed, search=SEARCH).profile.mode == mode
    with pytest.raises(NotFoundError, match=r"^no profile 'config_stereo_nq2'"):
        load_profile("config_stereo_nq2", search=SEARCH)

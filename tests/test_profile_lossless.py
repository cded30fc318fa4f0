"""The lossless profiles: the document's values, its eighteen flags, and its rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codecctl.engine.profile import aliased_options, family_of, load_profile, profile_from_json
from codecctl.engine.profile.aliases_lm import LM_ALIASES
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.listing import check_file
from codecctl.engine.profile.run_name import tracker_name
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.profile.shape import shape_of
from codecctl.errors import ProfileError, UsageError

SEARCH = (PACKAGED,)


def lossless(*overrides: str, name: str = "lossless-8bit") -> LosslessProfile:
    profile = load_profile(name, overrides, search=SEARCH).profile
    assert isinstance(profile, LosslessProfile)
    return profile


def at(profile: LosslessProfile, key: str) -> object:
    found: object = profile.model_dump(mode="json")
    for part in key.split("."):
        assert isinstance(found, dict)
        found = found[part]
    return found


DEFAULTS: dict[str, object] = {
    "data.audio_dir": "",
    "data.bit_depth": 8,
    "data.stereo_blocking_n": 1024,
    "data.chunk_size": 2048,
    "trainer.max_steps": 1000,
    "data.batch_size": 128,
    "trainer.log_every_n_steps": 100,
    "trainer.optimizer.config.lr": 1e-4,
    "model.embedding_dim": 64,
    "model.num_layers": 4,
    "model.num_heads": 8,
    "model.widening_factor": 4,
    "trainer.wandb.use_wandb": False,
    "trainer.wandb.run_name": "",
    "trainer.output_dir": "./",
    "trainer.model_name": "audio_model",
    "trainer.seed": 42,
    "data.num_chunks": 488281,
}
"""Of the document, by the key that each flag sets."""


def test_the_defaults_are_those_of_the_document() -> None:
    assert {key: at(lossless(), key) for key in DEFAULTS} == DEFAULTS
    deep = lossless(name="lossless-16bit")
    assert {key: at(deep, key) for key in DEFAULTS} == DEFAULTS | {"data.bit_depth": 16}
    assert (deep.trainer.optimizer.type, deep.trainer.scheduler.type) == ("Adam", "Constant")
    assert deep.model.head == "full"


FLAGS: dict[str, tuple[str, object]] = {
    "audio_dir": ("/some where/audio", "/some where/audio"),
    "stereo_blocking_n": ("2048", 2048),
    "chunk_size": ("4096", 4096),
    "training_steps": ("5000", 5000),
    "batch_size": ("256", 256),
    "log_every": ("50", 50),
    "learning_rate": ("0.0002", 2e-4),
    "embedding_dim": ("128", 128),
    "num_layers": ("6", 6),
    "num_heads": ("12", 12),
    "widening_factor": ("2", 2),
    "wandb_project": ("audio-compression", "audio-compression"),
    "wandb_run_name": ("16bit-stereo-experiment", "16bit-stereo-experiment"),
    "output_dir": ("./models/", "./models/"),
    "model_name": ("my_audio_model", "my_audio_model"),
    "seed": ("123", 123),
    "num_chunks": ("100000", 100000),
}
"""Every flag of the document that has a value: as it prints it, and what that means."""


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_of_the_document_sets_its_key_however_it_is_spelled(flag: str) -> None:
    written, value = FLAGS[flag]
    dashed = flag.replace("_", "-")
    for arguments in (
        [f"--{flag}", written],
        [f"--{dashed}", written],
        [f"--{flag}={written}"],
        [f"{flag}={written}"],
        [f"{dashed}={written}"],
    ):
        _, overrides = aliased_options(arguments, family="lm")
        resolved = load_profile("lossless-8bit", overrides, search=SEARCH)
        assert isinstance(resolved.profile, LosslessProfile)
        assert at(resolved.profile, LM_ALIASES[flag]) == value
        assert resolved.provenance[LM_ALIASES[flag]] == f"override {overrides[0]}"


def test_all_eighteen_flags_are_aliases_of_keys() -> None:
    assert {*FLAGS, "use_16bit"} == set(LM_ALIASES)
    assert len(LM_ALIASES) == 18
    leaves = {".".join(key) for key in shape_of(LosslessProfile).leaves()}
    assert set(LM_ALIASES.values()) <= leaves


@pytest.mark.parametrize("arguments", [["--use_16bit"], ["--use-16bit"], ["use_16bit=true"]])
def test_the_flag_without_a_value_asks_for_16_bits(arguments: list[str]) -> None:
    _, overrides = aliased_options(arguments, family="lm")
    assert lossless(*overrides).data.bit_depth == 16
    assert lossless("use_16bit=false", name="lossless-16bit").data.bit_depth == 8


def test_naming_blocks_or_a_project_asks_for_them() -> None:
    assert lossless("audio_dir=x").data.layout == "mono"
    assert lossless("audio_dir=x", "stereo_blocking_n=512").data.layout == "blocked"
    assert lossless("stereo_blocking_n=512", "data.channel_mode=one").data.layout == "one"
    assert lossless().data.layout == "blocked"  # of a store
    assert not lossless("wandb_run_name=x").trainer.wandb.use_wandb
    assert lossless("wandb_project=x").trainer.wandb.use_wandb


def test_a_tracker_calls_a_run_as_the_document_does() -> None:
    assert tracker_name(lossless()) == "8bit_block1024_chunk2048_steps1000"
    changed = lossless("use_16bit=true", "stereo_blocking_n=2048", "training_steps=7")
    assert tracker_name(changed) == "16bit_block2048_chunk2048_steps7"
    assert tracker_name(lossless("wandb_run_name=mine")) == "mine"
    codec = load_profile("paired", search=SEARCH).profile
    assert tracker_name(codec) == codec.trainer.wandb.run_name


@pytest.mark.parametrize(
    "flag",
    [
        *("stereo_blocking_n", "chunk_size", "training_steps", "batch_size", "log_every"),
        *("embedding_dim", "num_layers", "num_heads", "widening_factor", "num_chunks"),
    ],
)
def test_the_ten_integers_are_positive(flag: str) -> None:
    for value in ("0", "-1", "1.5", "many"):
        with pytest.raises(ProfileError, match=rf"^override {flag}={value}: .*found .*allowed: "):
            lossless(f"{flag}={value}")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["learning_rate=0"], r"trainer\.optimizer\.config\.lr: found 0, allowed: .* above 0"),
        (["learning_rate=-1"], r"found -1, allowed: a number above 0"),
        (["seed=-1"], r"trainer\.seed: found -1, allowed: a whole number at least 0"),
        (["use_16bit=true", "chunk_size=4097"], r"found 4097, .*bit_depth = 16: an even number"),
        (["num_heads=65"], r"model\.num_heads: found 65, allowed: at most model\.embedding_dim"),
        (["data.bit_depth=12"], r"data\.bit_depth: found 12, allowed: 8, 16 or 24"),
        (["data.bit_depth=24"], r"model\.head: found 'full', .*= 24: 'factorised'"),
        (["data.bit_depth=16", "data.quantisation=mulaw"], r"found 'mulaw', .*= 16: 'linear'"),
        (["audio_dir=x", "data.split=y"], r"data\.split: found 'y', allowed with data\.audio_dir"),
        (["trainer.accumulate_grad_batches=3"], r"allowed: a divisor of data\.batch_size = 128"),
        (["model_name=a/b"], r"trainer\.model_name: found \"a/b\", allowed"),
        (["trainer.best_metric=val/mel"], r"allowed: 'val/bits_per_sample'"),
        (["trainer.discriminator.start.step=1"], r"discriminator: unknown key"),
    ],
)
def test_a_rule_is_one_line_with_what_is_allowed(overrides: list[str], message: str) -> None:
    with pytest.raises(ProfileError, match=message) as error:
        lossless(*overrides)
    assert len(error.value.problems) == 1


@pytest.mark.parametrize(
    ("overrides", "notice"),
    [
        (
            ["--stereo_blocking_n=1000", "--chunk_size=2048"],
            "data.stereo_blocking_n: 1000 is too small for chunks of 2048: chunks will not contain "
            "complete L/R block pairs",
        ),
        (["--stereo_blocking_n=1024"], ""),
        (
            ["--audio_dir=x"],
            "data.channel_mode: channels are mixed down to their mean, for training studies only: "
            "no decoder gets them back; channel_mode=blocked or one is lossless",
        ),
    ],
)
def test_what_a_valid_profile_cannot_do_is_said(overrides: list[str], notice: str) -> None:
    _, meant = aliased_options(overrides, family="lm")
    said = load_profile("lossless-8bit", meant, search=SEARCH).notices
    assert said == ((notice,) if notice else ())


def test_the_flags_belong_to_the_family_and_are_else_usage_errors() -> None:
    assert (family_of("lossless-8bit"), family_of("paired")) == ("lm", "seanet")
    assert family_of("nothing") == family_of("") == ""
    with pytest.raises(UsageError, match=r"^no option --chunk_size"):
        aliased_options(["--chunk_size", "5"], family="seanet")
    with pytest.raises(UsageError, match=r"did you mean '--chunk_size'\?$"):
        aliased_options(["--chunk_sise", "5"], family="lm")
    with pytest.raises(UsageError, match=r"^--chunk_size: found no value"):
        aliased_options(["--chunk_size"], family="lm")
    with pytest.raises(ProfileError, match="batch_size: unknown key"):
        load_profile("paired", ["batch_size=3"], search=SEARCH)


def test_a_stored_lossless_profile_is_the_same_profile() -> None:
    profile = lossless("use_16bit=true", "data.train_scenes=['Beach']")
    text = json.dumps(profile.model_dump(mode="json"))
    assert profile_from_json(json.loads(text)) == profile


def test_tiny_and_demo_are_the_familys_own() -> None:
    tiny = lossless("model=tiny", "trainer=demo")
    assert tiny.model.embedding_dim < 64 and tiny.trainer.max_steps <= 1000
    assert tiny.trainer.num_gpus == 0 and not tiny.trainer.wandb.use_wandb


def test_an_option_is_checked_against_the_tree_that_it_is_for(tmp_path: Path) -> None:
    option = tmp_path / "model" / "mine.toml"
    option.parent.mkdir()
    option.write_text("overlay = true\n[model]\nembedding_dim = 3\nnum_layers = 2\n")
    assert check_file(str(option), []) == [f"{option}: overlay of 'model', 2 values, no errors"]
    option.write_text("overlay = true\n[model]\nembedding_dim = 0\nnum_layers = 2\n")
    with pytest.raises(ProfileError, match=r"model\.embedding_dim: found 0, allowed"):
        check_file(str(option), [])

"""What the user reads: every error at once, each with its place, its key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.engine.profile import MODES, load_profile
from codecctl.engine.profile.library import PACKAGED, Library
from codecctl.errors import ProfileError
from tests.own_profile import HEAD

SEARCH = (PACKAGED,)


def options(group: str) -> str:
    """The packaged options of a group, as messages list them."""
    return ", ".join(Library((PACKAGED,)).names(group))


OPTIMIZERS = (
    "'Adadelta', 'Adafactor', 'Adagrad', 'Adam', 'AdamW', 'Adamax', 'ASGD', 'NAdam', 'RAdam', "
    "'RMSprop', 'Rprop'"
)
KNOWN_MODES = ", ".join(f"'{mode}'" for mode in MODES)


def problems(*overrides: str, search: tuple[Path, ...] = SEARCH, name: str = "paired") -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load_profile(name, overrides, search=search)
    assert caught.value.exit_code == 3
    return list(caught.value.problems)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ...]:
    monkeypatch.chdir(tmp_path)
    for group in ("data", "model", "trainer"):
        (tmp_path / "profiles" / group).mkdir(parents=True)
    return (PACKAGED, Path("profiles"))


def in_file(local: tuple[Path, ...], text: str, *overrides: str) -> list[str]:
    (local[-1] / "mine.toml").write_text(HEAD + text)
    return problems(*overrides, search=local, name="mine")


@pytest.mark.parametrize(
    ("override", "rest"),
    [
        ("trainer.seed=abc", 'trainer.seed: found "abc", allowed: a whole number at least 0'),
        ("trainer.seed=1.5", "trainer.seed: found 1.5, allowed: a whole number at least 0"),
        ("trainer.seed=-1", "trainer.seed: found -1, allowed: a whole number at least 0"),
        (
            "trainer.optimizer.config.lr=0",
            "trainer.optimizer.config.lr: found 0, allowed: a number above 0",
        ),
        (
            "trainer.optimizer.config.lr=inf",
            "trainer.optimizer.config.lr: found Infinity, allowed: a number above 0",
        ),
        (
            "trainer.optimizer.config.betas=[0.5]",
            "trainer.optimizer.config.betas: found [0.5], allowed: a list of 2, each a number at "
            "least 0 and below 1",
        ),
        (
            "trainer.optimizer.config.betas=[0.5, 1.0]",
            "trainer.optimizer.config.betas.1: found 1.0, allowed: a number at least 0 and below 1",
        ),
        ("data.pin_memory=1", "data.pin_memory: found 1, allowed: true or false"),
        ("data.pin_memory=yes", 'data.pin_memory: found "yes", allowed: true or false'),
        (
            "trainer.num_gpus=two",
            "trainer.num_gpus: found \"two\", allowed: 'auto' or a whole number at least 0",
        ),
        (
            "trainer.precision=bf16-mixd",
            "trainer.precision: found \"bf16-mixd\", allowed: '32-true', '16-mixed' or "
            "'bf16-mixed'; did you mean 'bf16-mixed'?",
        ),
        (
            "mode=pared",
            "mode: found \"pared\", allowed: 'baseline', 'mono', 'paired' or 'soundstream'; "
            "did you mean 'paired'?",
        ),
        (
            "trainer.optimizer.type=adam_w",
            'trainer.optimizer.type: found "adam_w", allowed: ' + OPTIMIZERS + ", 'SGD'; "
            "did you mean 'AdamW'?",
        ),
        (
            "trainer.optimizer=AdamW",
            'trainer.optimizer: found "AdamW", allowed: a table of type '
            + OPTIMIZERS
            + " or 'SGD'; "
            "did you mean 'trainer.optimizer.type'?",
        ),
        (
            "trainer.optimiser.config.lr=3e-4",
            "trainer.optimiser: unknown key; did you mean 'optimizer'?",
        ),
        (
            "trainer.optimizer.config.learning_rate=3e-4",
            "trainer.optimizer.config.learning_rate: unknown key, allowed: lr, weight_decay, "
            "betas, eps, amsgrad",
        ),
        (
            "trainer.optimizer.config.momentum=0.9",  # of SGD
            "trainer.optimizer.config.momentum: unknown key, allowed: lr, weight_decay, betas, "
            "eps, amsgrad",
        ),
        ("modle=tiny", "modle: unknown key; did you mean 'model'?"),
        ("batch_size=4", "batch_size: unknown key; did you mean 'data.batch_size'?"),
        (
            "trainer.codebook_size=4",
            "trainer.codebook_size: unknown key; did you mean 'model.quantizer.codebook_size'?",
        ),
        (
            "trainer.wandb.nonsense=1",
            "trainer.wandb.nonsense: unknown key, allowed: use_wandb, project, run_name, mode",
        ),
        (
            "trainer.seed.deeper=1",
            'trainer.seed: found {"deeper": 1}, allowed: a whole number at least 0',
        ),
        (
            "trainer.discriminator.start.stp=5",
            "trainer.discriminator.start.stp: unknown key; did you mean 'step'?",
        ),
        (
            "model.discriminators.1.leak=0.3",
            "model.discriminators: found entry 1, allowed: 0 to 0 or *",
        ),
        ("~trainer.sede", "trainer.sede: unknown key; did you mean 'seed'?"),
        ("~wandb.project", "wandb.project: unknown key; did you mean 'trainer.wandb.project'?"),
        (
            "trainer=nonsense",
            f"no option 'nonsense' in group 'trainer' (have: {options('trainer')})",
        ),
        (
            "trainer.stages=[1]",
            "trainer.stages.0: found 1, allowed: a table of name, length, weights, optimizer, "
            "scheduler, ... (8 keys)",
        ),
    ],
)
def test_an_override_that_is_wrong_is_named_with_what_is_allowed(override: str, rest: str) -> None:
    key = rest.partition(":")[0]
    assert problems(override) == [
        f"override {override}: {rest}" if not key.startswith("~") else rest
    ]


def test_a_long_value_is_cut() -> None:
    (line,) = problems(f"trainer.seed={'x' * 200}")
    assert '"xxx' in line
    assert "xxx..., allowed" in line
    assert len(line.partition("found")[2]) < 120


def test_an_override_without_a_value_is_named() -> None:
    assert problems("nonsense")[0].startswith("override 'nonsense': not understood, needed KEY=")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[trainer]\nsede = 1\n",
            "profiles/mine.toml:17: trainer.sede: unknown key; did you mean 'seed'?",
        ),
        (
            "[trainer.optimizer.config]\nlr = -1.0\n",
            "profiles/mine.toml:17: trainer.optimizer.config.lr: found -1.0, allowed: a number "
            "above 0",
        ),
        (
            '[trainer.optimizer]\nconfig = { lr = "a" }\n',
            'profiles/mine.toml:17: trainer.optimizer.config.lr: found "a", allowed: a number '
            "above 0",
        ),
        (
            "[trainer]\n\noptimizer.config.lr = 0\n",
            "profiles/mine.toml:18: trainer.optimizer.config.lr: found 0, allowed: a number "
            "above 0",
        ),
        (
            "[pairwise]\nsim_weight = -1\n",
            "profiles/mine.toml:17: trainer.loss_config.pairwise.weights.similarity: found -1, "
            "allowed: a number at least 0",
        ),
        (
            "[trainer.trainer]\nlog_interval = 0\n",
            "profiles/mine.toml:17: trainer.log_every_n_steps: found 0, allowed: a whole number "
            "at least 1",
        ),
        (
            "[datasets]\nbatch_size = 3\n",
            "profiles/mine.toml:17: datasets.batch_size: another name of data.batch_size, which "
            "the file sets as well; keep one",
        ),
        (
            "[[model.discriminators]]\ntype = 'ms_stft'\n",
            "profiles/mine.toml:16: model.discriminators.0: lacks n_ffts, hop_lengths, "
            "win_lengths, num_filters, kernel_size, dilations, stride, "
            "feature_maps_include_logits, leak, weight_norm_first, channels",
        ),
        (
            "[[model.discriminators]]\nleak = 0.1\n[model.quantizer]\ndropout = 'no'\n",
            'profiles/mine.toml:19: model.quantizer.dropout: found "no", allowed: true or false',
        ),
        (
            "[trainer.nonsense]\n",
            "profiles/mine.toml:16: trainer.nonsense: unknown key",
        ),
    ],
)
def test_an_error_in_a_file_has_its_line(local: tuple[Path, ...], text: str, line: str) -> None:
    assert any(problem.startswith(line) for problem in in_file(local, text)), in_file(local, text)


def test_an_override_is_blamed_before_the_file_that_it_replaced(local: tuple[Path, ...]) -> None:
    assert in_file(local, "[trainer]\nseed = -1\n", "trainer.seed=-2") == [
        "override trainer.seed=-2: trainer.seed: found -2, allowed: a whole number at least 0"
    ]


def test_everything_that_is_wrong_is_said_at_once(local: tuple[Path, ...]) -> None:
    found = in_file(
        local,
        "[trainer]\nsede = 1\nmax_epochs = 0\n[data.nonsense]\nx = 1\n",
        "model=tinny",
        "trainer.precision=8",
        "nonsense",
        "model.n_q=0",
        "data.capsules.count=1",
    )
    places = [line.split(":")[0] for line in found]
    assert sorted(places) == sorted(
        [
            "override 'nonsense'",
            "override model=tinny",
            "profiles/mine.toml",
            "profiles/mine.toml",
            "profiles/mine.toml",
            "override trainer.precision=8",
            "override model.n_q=0",
        ]
    )


def test_keys_that_do_not_agree_are_said_with_the_rest() -> None:
    found = problems(
        "data.capsules.count=1",
        "trainer.seed=x",
        "model.generator.causal=false",
        "model.generator.trim_right_ratio=0.5",
        "model.generator.compress=64",
    )
    assert [line.split(": ")[1] for line in found] == [
        "trainer.seed",
        "model.generator.compress",
        "data.capsules.count",
    ]


def test_a_syntax_error_of_an_option_is_said_with_the_rest(local: tuple[Path, ...]) -> None:
    (local[-1] / "trainer" / "broken.toml").write_text("[trainer]\nseed = = 1\n")
    assert problems("trainer=broken", "data.val_items=0", search=local) == [
        "profiles/trainer/broken.toml:2:8: TOML syntax: Invalid value",
        "override data.val_items=0: data.val_items: found 0, allowed: a whole number at least 1",
    ]


def test_a_syntax_error_of_the_profile_has_line_and_column(local: tuple[Path, ...]) -> None:
    (local[-1] / "mine.toml").write_text('mode = "paired"\n[data\n')
    assert problems(search=local, name="mine") == [
        "profiles/mine.toml:2:6: TOML syntax: Expected ']' at the end of a table declaration"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "family = 'seanet'\n",
            f"profiles/mine.toml: mode: is missing, allowed: {KNOWN_MODES}",
        ),
        (
            "mode = 3\n",
            f"profiles/mine.toml:1: mode: found 3, allowed: {KNOWN_MODES}",
        ),
        (
            "mode = 'paird'\n",
            f'profiles/mine.toml:1: mode: found "paird", allowed: {KNOWN_MODES}; '
            "did you mean 'paired'?",
        ),
        (
            HEAD.replace('"seanet"\ntrainer', '"seanet-tiny"\ntrainer'),
            "profiles/mine.toml:7: defaults.model: 'seanet-tiny' is an overlay, needed: a complete "
            "option",
        ),
        (
            HEAD.replace('model = "seanet"', 'model = "sea"'),
            "profiles/mine.toml:7: no option 'sea' in group 'model'",
        ),
        (
            HEAD.replace('model = "seanet"', "model = 5"),
            "profiles/mine.toml:7: defaults.model: found 5, allowed: text",
        ),
        (
            HEAD.replace('model = "seanet"', 'modell = "seanet"'),
            "profiles/mine.toml:7: defaults.modell: unknown key; did you mean 'model'?",
        ),
        (
            HEAD.replace('model = "seanet"\n', ""),
            "profiles/mine.toml: model: is missing; name an option in defaults.model "
            f"(have: {options('model')})",
        ),
        (
            "defaults = 3\n" + HEAD[: HEAD.index("[defaults]")],
            "profiles/mine.toml:1: defaults: found 3, allowed: a table of data, model, trainer",
        ),
        (
            HEAD.replace("[data]", "[date]"),
            "profiles/mine.toml:10: date: unknown key; did you mean 'data'?",
        ),
    ],
)
def test_a_profile_without_its_essentials_says_which(
    local: tuple[Path, ...], text: str, line: str
) -> None:
    (local[-1] / "mine.toml").write_text(text)
    found = problems(search=local, name="mine")
    assert any(problem.startswith(line) for problem in found), found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[data]\nrate = 1\n",
            "profiles/trainer/odd.toml:1: data: found in an option of 'trainer', allowed: only "
            "'trainer', or any group with overlay = true",
        ),
        (
            "description = 'x'\n",
            "profiles/trainer/odd.toml: holds no table [trainer], needed in an option of 'trainer'",
        ),
        (
            "overlay = 'yes'\n[trainer]\nseed = 1\n",
            "profiles/trainer/odd.toml:1: overlay: found 'yes', allowed: true or false",
        ),
        (
            "overlay = true\nmode = 'x'\n",
            "profiles/trainer/odd.toml:2: mode: found in an option of 'trainer', allowed: data, "
            "model, trainer, description, overlay",
        ),
        (
            "overlay = true\n[model.discriminators.7]\nleak = 0.1\n",
            "profiles/trainer/odd.toml: model.discriminators: found entry 7, allowed: 0 to 0 or *",
        ),
        (
            "overlay = true\n[trainer]\n\nsede = 1\n",
            "profiles/trainer/odd.toml:4: trainer.sede: unknown key; did you mean 'seed'?",
        ),
    ],
)
def test_an_option_that_is_none_says_why(local: tuple[Path, ...], text: str, line: str) -> None:
    (local[-1] / "trainer" / "odd.toml").write_text(text)
    assert problems("trainer=odd", search=local)[0] == line


def test_an_unfinished_option_lists_what_it_lacks_in_one_line(local: tuple[Path, ...]) -> None:
    (local[-1] / "trainer" / "part.toml").write_text("[trainer]\nseed = 1\n")
    (line,) = problems("trainer=part", search=local)
    assert line.startswith("profiles/trainer/part.toml:1: trainer: lacks max_time, ")


def test_an_alias_keeps_lists_of_tables_whole(local: tuple[Path, ...]) -> None:
    found = in_file(local, "[[trainer.trainer.stages]]\nname = 'warm-up'\n")
    assert found == [
        "profiles/mine.toml: trainer.stages.0.length: is missing; needed: {steps = ...} or "
        "{epochs = ...}"
    ]

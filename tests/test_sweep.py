"""Comma lists become runs; each is trained once, the table begins with the best."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from codecctl.commands import train_sweep
from codecctl.commands.train_job import Wish
from codecctl.engine.profile.product import combinations, split_values
from codecctl.engine.sweep import Member, best_value, newest_sweep, ranked, read_sweep
from codecctl.errors import (
    CodecctlError,
    InterruptedByUserError,
    NotFoundError,
    ProfileError,
    StoppedError,
    UsageError,
)

LISTS = ("model=tiny", "trainer.optimizer.config.lr=1e-3,1e-4", "trainer.seed=1,2")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1,2, 3", ["1", "2", "3"]),
        ("[1,2],[3]", ["[1,2]", "[3]"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("{ step = 1, x = [2, 3] },{ epoch = 4 }", ["{ step = 1, x = [2, 3] }", "{ epoch = 4 }"]),
        ("tiny", ["tiny"]),
        ("1,", ["1", ""]),
    ],
)
def test_commas_in_brackets_and_quotes_part_nothing(text: str, parts: list[str]) -> None:
    assert split_values(text) == parts


def test_every_combination_is_made_once_and_the_last_key_changes_fastest() -> None:
    shared, keys, found = combinations([*LISTS, "~trainer.ema"])
    assert shared == ("model=tiny", "~trainer.ema")
    assert keys == ("trainer.optimizer.config.lr", "trainer.seed")
    assert [each.values for each in found] == [
        ("1e-3", "1"),
        ("1e-3", "2"),
        ("1e-4", "1"),
        ("1e-4", "2"),
    ]
    assert found[0].label == "lr=1e-3-seed=1"
    assert found[0].overrides == ("trainer.optimizer.config.lr=1e-3", "trainer.seed=1")


def test_keys_that_end_alike_stand_in_full_and_values_become_names() -> None:
    _, _, found = combinations(["a.lr=1,2", "b.lr=[1,2],[3]"])
    assert found[1].label == "a.lr=1-b.lr=3"
    assert "/" not in combinations(["x=../a,b"])[2][0].label


class FakeChild:
    """Stands in for the process of a run: writes what a run leaves, ends with a code."""

    codes: dict[str, int]
    ran: list[list[str]]

    def run(self, command: list[str]) -> int:
        FakeChild.ran.append(command)
        name = command[command.index("--run") + 1]
        code = next((code for part, code in FakeChild.codes.items() if part in name), 0)
        path = Path("runs") / name
        path.mkdir(exist_ok=True)
        (path / "profile.json").write_text(json.dumps({"name": "paired", "profile": {}}))
        status = {0: "finished", 130: "stopped"}.get(code, "failed")
        (path / "state.json").write_text(json.dumps({"status": status, "step": 4}))
        value = 0.5 if "lr=1e-3" in name else 0.25
        rows = [{"step": 0, "split": "val", "val/mel": 0.1}]
        rows += [{"step": 4, "split": "val", "val/mel": value}]
        (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return code


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_sweep, "Child", FakeChild)
    FakeChild.codes, FakeChild.ran = {}, []

    def sweep(
        *arguments: str, profile: str = "paired", run: str = "grid", resume: bool = False
    ) -> None:
        wish = Wish(profile, arguments, run, resume, "", partial=False)
        train_sweep.sweep(wish, dry_run=False)

    return sweep


def test_runs_are_trained_in_turn_tagged_and_listed_from_the_best(
    train: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    train(*LISTS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "run",
        "trainer.optimizer.config.lr",
        "trainer.seed",
        "status",
        "step",
        "val/mel",
    ]
    assert [line.split()[0] for line in lines[1:]] == [
        "grid-3-lr=1e-4-seed=1",
        "grid-4-lr=1e-4-seed=2",
        "grid-1-lr=1e-3-seed=1",
        "grid-2-lr=1e-3-seed=2",
    ]
    assert lines[1].split()[1:] == ["1e-4", "1", "finished", "4", "0.25"]
    tags = json.loads(Path("runs/grid-1-lr=1e-3-seed=1/tags.json").read_text())["tags"]
    assert tags == ["grid"]
    assert FakeChild.ran[0][2:] == [
        *("train", "--profile", "paired", "model=tiny"),
        *("trainer.optimizer.config.lr=1e-3", "trainer.seed=1", "--run", "grid-1-lr=1e-3-seed=1"),
    ]


def test_a_run_that_fails_stops_no_other_and_resume_trains_it_again(
    train: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    FakeChild.codes = {"grid-2": 1}
    with pytest.raises(CodecctlError, match=r"grid: 1 of 4 runs failed: grid-2-lr=1e-3-seed=2;"):
        train(*LISTS)
    assert len(FakeChild.ran) == 4
    FakeChild.codes, FakeChild.ran = {}, []
    train(profile="", resume=True)
    assert [command[-3:] for command in FakeChild.ran] == [
        ["--run", "grid-2-lr=1e-3-seed=2", "--resume"]
    ]
    assert capsys.readouterr().err.count("finished before") == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [(130, InterruptedByUserError), (75, StoppedError), (-2, InterruptedByUserError)],
)
def test_a_run_that_is_stopped_ends_the_sweep_which_says_how_to_go_on(
    train: Callable[..., None], code: int, error: type[Exception]
) -> None:
    FakeChild.codes = {"grid-2": code}
    with pytest.raises(error, match="codecctl train -m --run grid --resume"):
        train(*LISTS)
    assert len(FakeChild.ran) == 2
    FakeChild.codes = {}
    train(*LISTS, resume=True)  # the same command line means the same sweep
    assert len(FakeChild.ran) == 5
    assert newest_sweep(Path("runs"), "paired") == "grid"
    assert len(read_sweep(Path("runs"), "grid").members) == 4


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("model=tiny",), UsageError, "found no list of values"),
        (("trainer.seed=" + ",".join(map(str, range(300))),), UsageError, "found 300 combinations"),
        (("trainer.seeds=1,2",), ProfileError, r"trainer.seed"),
        (("trainer.seed=1,x",), ProfileError, 'trainer.seed: found "x"'),
        (("model=tiny,tinny",), CodecctlError, "tinny"),
    ],
)
def test_what_cannot_be_trained_is_one_line_before_anything_runs(
    train: Callable[..., None], arguments: tuple[str, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        train(*arguments)
    assert not FakeChild.ran
    assert not Path("runs").exists()


def test_names_that_are_taken_or_unknown_are_refused(train: Callable[..., None]) -> None:
    with pytest.raises(UsageError, match="found no profile"):
        train(*LISTS, profile="")
    with pytest.raises(NotFoundError, match="grid: no sweep of this name"):
        train(profile="", resume=True)
    train(*LISTS)
    with pytest.raises(UsageError, match=r"grid\.sweep\.json: exists"):
        train(*LISTS)
    with pytest.raises(UsageError, match="found other values"):
        train("trainer.seed=5,6", resume=True)
    with pytest.raises(UsageError, match="found a sweep of profile paired"):
        train(profile="mono", resume=True)


def test_a_damaged_file_of_a_sweep_is_named(train: Callable[..., None]) -> None:
    train(*LISTS)
    Path("runs/grid.sweep.json").write_text("{")
    with pytest.raises(CodecctlError, match=r"grid\.sweep\.json: found no sweep of schema 1"):
        train(profile="", resume=True)


def test_the_best_value_is_the_largest_of_a_ratio_and_never_that_before_training(
    tmp_path: Path,
) -> None:
    rows = [(0, 9.0, 0.1), (1, 3.0, 0.5), (2, "NaN", 0.4), (3, 2.0, 0.6)]
    (tmp_path / "metrics.jsonl").write_text(
        "".join(
            json.dumps({"step": s, "split": "val", "val/si_sdr": a, "val/mel": b}) + "\n"
            for s, a, b in rows
        )
    )
    assert best_value(tmp_path, "val/si_sdr") == 3.0
    assert best_value(tmp_path, "val/mel") == 0.4
    assert best_value(tmp_path, "val/none") is None
    members = [(Member(str(k), (), ()), value) for k, value in enumerate((1.0, None, 3.0))]
    assert ranked(members, "val/si_sdr") == [2, 0, 1]
    assert ranked(members, "val/mel") == [0, 2, 1]

"""Choosing and sorting runs."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from codecctl.dashboard.run_filter import metric_names, parse_filter, sorted_runs
from codecctl.dashboard.views import RunView
from codecctl.engine.rundir import RunState, RunSummary


def run(name: str, *, profile: str = "paired", status: str = "running", **values: float) -> RunView:
    summary = RunSummary(
        path=Path(name),
        profile=profile,
        mode=profile,
        state=RunState(status=status, host="node7"),
        status=status,
        step=int(values.pop("step", 10)),
        max_steps=100,
        epoch=1,
        age_seconds=3.0,
        train={"loss/total": values.pop("loss", 2.0), "schema": 1},
        validation={f"val/{key}": value for key, value in values.items()},
        tags=("Night", "keep"),
    )
    return RunView(summary)


RUNS = [
    run("foo-1", mel=0.4, si_sdr=3.0),
    run("foo-2", mel=0.6, si_sdr=9.0, status="finished", step=50),
    run("bar", profile="soundstream"),
]
RUNS[0] = replace(
    RUNS[0],
    settings={
        "trainer.seed": "7",
        "trainer.optimizer.type": "Adam",
        "trainer.optimizer.config.lr": "3e-4",
    },
)
RUNS[1] = replace(RUNS[1], settings={"trainer.seed": "8", "trainer.optimizer.type": "AdamW"})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["foo-1", "foo-2", "bar"]),
        ("FOO", ["foo-1", "foo-2"]),
        ("profile:paired status:running", ["foo-1"]),
        ("val/mel<0.5", ["foo-1"]),
        ("val/mel>=0.6 name~^foo", ["foo-2"]),
        ("name~2$", ["foo-2"]),
        ("-foo", ["bar"]),
        ("-val/mel<0.5", ["foo-2", "bar"]),
        ("step=50", ["foo-2"]),
        ("loss/total!=3", ["foo-1", "foo-2", "bar"]),
        ("tag:night host=NODE7", ["foo-1", "foo-2", "bar"]),
        ("tag:day", []),
        ("name=foo", []),
        ("name!=bar", ["foo-1", "foo-2"]),
        ("seen<1", []),
        ("nothing>0", []),
        ("name~2$ | profile:soundstream", ["foo-2", "bar"]),
        ("val/mel<0.5 status:running | name~2$ step=50", ["foo-1", "foo-2"]),
        ("trainer.seed=7", ["foo-1"]),
        ("trainer.seed>=7", ["foo-1", "foo-2"]),
        ("trainer.seed!=7", ["foo-2"]),
        ("-trainer.seed=7", ["foo-2", "bar"]),
        ("trainer.optimizer.config.lr<1e-3", ["foo-1"]),
        ("trainer.optimizer.type=adam", ["foo-1"]),
        ("trainer.optimizer.type!=adam", ["foo-2"]),
        ("trainer.optimizer.type~^adam", ["foo-1", "foo-2"]),
        ("trainer.optimizer.type:W", ["foo-2"]),
        ("foo (name~2$ | val/mel<0.5)", ["foo-1", "foo-2"]),
        ("foo ( name~2$ | profile:soundstream )", ["foo-2"]),
        ("(foo | bar) status:running", ["foo-1", "bar"]),
        ("-(foo status:running)", ["foo-2", "bar"]),
        ("-(foo status:running | bar)", ["foo-2"]),
        ("-(-(bar))", ["bar"]),
        ("((foo))", ["foo-1", "foo-2"]),
        ("name~^(foo|bar)", ["foo-1", "foo-2", "bar"]),
        ("(name~(1|r)$ | step=50) foo", ["foo-1", "foo-2"]),
        ("(name~^(foo))", ["foo-1", "foo-2"]),
    ],
)
def test_all_terms_have_to_hold(text: str, names: list[str]) -> None:
    chosen = parse_filter(text)
    assert chosen.problem == ""
    assert [each.name for each in RUNS if chosen.matches(each)] == names


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("val/mel<", "val/mel<: not finished"),
        ("val/mel<half", "val/mel<half: half is no number"),
        ("name~(", r"name~\(: .*unterminated"),
        ("name<3", "name<3: name is text; use : = != or ~"),
        ("foo | ", r"\|: needs a term on both sides"),
        ("| foo", r"\|: needs a term on both sides"),
        ("foo | | bar", r"\|: needs a term on both sides"),
        ("foo (", r"\(: needs a term behind it"),
        ("()", r"\(: needs a term behind it"),
        ("(foo | )", r"\|: needs a term on both sides"),
        ("(foo", r"\(: not closed"),
        ("foo )", r"\): nothing was opened before it"),
        ("foo)", r"\): nothing was opened before it"),
        (")", r"\): nothing was opened before it"),
        ("colour:red", "colour:red: colour is none of name, profile, mode, status, tag, host"),
    ],
)
def test_what_is_no_filter_says_why_and_hides_nothing(text: str, problem: str) -> None:
    found = parse_filter(text)
    assert re.search(problem, found.problem)
    assert all(found.matches(each) for each in RUNS)


def test_the_best_comes_first_whichever_way_a_metric_points() -> None:
    def names(metric: str, pinned: str = "") -> list[str]:
        return [each.name for each in sorted_runs(RUNS, metric, pinned=pinned)]

    assert names("val/mel") == ["foo-1", "foo-2", "bar"]
    assert names("val/si_sdr") == ["foo-2", "foo-1", "bar"]
    assert names("step") == ["foo-2", "foo-1", "bar"]
    assert names("") == ["foo-1", "foo-2", "bar"]
    assert names("val/mel", "bar") == ["bar", "foo-1", "foo-2"]


def test_a_value_that_is_no_number_comes_last() -> None:
    runs = [run("nan", mel=float("nan")), run("one", mel=1.0)]
    assert [each.name for each in sorted_runs(runs, "val/mel")] == ["one", "nan"]


def test_names_to_compare_by_are_those_of_the_newest_rows() -> None:
    assert metric_names(RUNS) == ["step", "epoch", "seen", "loss/total", "val/mel", "val/si_sdr"]

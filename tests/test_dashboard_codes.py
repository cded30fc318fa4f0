"""The page of codes: usage over the steps, shares, verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecctl.dashboard.bars import bar
from codecctl.dashboard.codes import codes_lines, heat
from codecctl.dashboard.run_screen import TABS
from codecctl.dashboard.table import Table
from codecctl.dashboard.views import Detail, RunView
from codecctl.engine.references import Reference
from codecctl.engine.rundir import Row, summarize_run

from .dashboard_runs import append, dashboard, make_run, screen_text, settle


def view(tmp_path: Path, train: list[Row], validation: list[Row], events: list[Row]) -> RunView:
    run = RunView(summarize_run(make_run(tmp_path, "run")))
    return replace(
        run,
        train=Table().add(train),
        validation=Table().add(validation),
        detail=Detail(events=tuple(events)),
    )


def texts(run: RunView, width: int = 80) -> list[str]:
    return [line.plain for line in codes_lines(run, width=width, mono=True)]


def test_a_strip_holds_the_lowest_usage_of_each_column_and_the_last_one_before_a_gap() -> None:
    steps = np.array([0.0, 10.0, 11.0, 40.0])
    usage = np.array([0.5, 0.9, 0.1, 0.7])
    assert heat(steps, usage, 0.0, 40.0, 4).tolist() == [0.5, 0.1, 0.1, 0.7]


def test_a_strip_begins_empty_where_a_codebook_came_later() -> None:
    assert np.isnan(heat(np.array([20.0]), np.array([0.5]), 0.0, 40.0, 2)[0])


def test_a_bar_is_as_long_as_its_share_to_an_eighth_of_a_cell() -> None:
    assert bar(0.5, 4) == "██"
    assert bar(0.53125, 4) == "██▏"
    assert (bar(0.0, 4), bar(1.0, 4), bar(2.0, 4)) == ("", "████", "████")


def test_every_codebook_has_a_line_with_its_newest_values(tmp_path: Path) -> None:
    rows: list[Row] = [
        {
            "step": step,
            "val/codebook/1/usage": 0.5 + step / 100,
            "val/codebook/1/perplexity": 300.0,
            "val/codebook/1/entropy": 8.25,
            "val/codebook/10/usage": 0.02,
        }
        for step in (0, 20)
    ]
    lines = texts(view(tmp_path, [], rows, []))
    assert lines[0] == "Codebooks of validation items"
    assert lines[1].split() == ["book", "usage", "perplexity", "entropy", "0", "step", "20"]
    assert lines[2].split()[:5] == ["1", "70", "%", "300", "8.25"]
    assert lines[2].endswith("▓")
    assert lines[3].split()[:5] == ["10", "2", "%", "-", "-"]
    assert max(len(line) for line in lines) <= 80
    collapsed = codes_lines(view(tmp_path / "b", [], rows, []), width=80, mono=True)[3]
    assert any(str(span.style) == "bold red" for span in collapsed.spans)


def test_shares_are_bars_beside_what_size_alone_would_give(tmp_path: Path) -> None:
    train: list[Row] = [
        {"step": 1, "balancer/mel": 0.75, "balancer/mel/before": 0.25, "balancer/time": 0.25}
    ]
    lines = texts(view(tmp_path, train, [], []), width=59)
    assert lines[0] == "Shares of the gradient"
    assert lines[1] == "mel         75.0 % " + "█" * 30
    assert lines[2].split() == ["by", "size", "25.0", "%", "╌" * 10]
    assert lines[3] == "time        25.0 % " + "█" * 10


def test_the_newest_verdict_on_each_claim_counts(tmp_path: Path) -> None:
    def verdict(claim: str, word: str, fact: str) -> Row:
        message = f"{claim}: {word}: {fact}"
        return {"kind": "verdict", "claim": claim, "verdict": word, "message": message}

    events = [
        verdict("similar", "undecided", "two values"),
        verdict("different", "not as expected", "falls"),
        verdict("similar", "as expected", "rises"),
    ]
    assert texts(view(tmp_path, [], [], events)) == [
        "Expected behaviour",
        "as expected     similar: rises",
        "not as expected different: falls",
    ]


def test_the_words_of_a_verdict_stay_in_their_column(tmp_path: Path) -> None:
    message = "near: undecided: " + "word " * 40
    event: Row = {"kind": "verdict", "claim": "near", "verdict": "undecided", "message": message}
    lines = texts(view(tmp_path, [], [], [event]))[1:]
    assert len(lines) > 2
    assert lines[0].startswith("undecided       near: word")
    assert all(line.startswith(" " * 16 + "word") for line in lines[1:])


def test_a_run_without_codebooks_says_so(tmp_path: Path) -> None:
    assert texts(view(tmp_path, [], [], [])) == [
        "no codebooks and no bits yet: they are logged with the first rows"
    ]


@pytest.mark.long
async def test_the_tab_shows_codes_in_every_size(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    append(
        run / "metrics.jsonl",
        {"step": 30, "split": "val", "val/codebook/1/usage": 0.4, "val/codebook/2/usage": 0.9},
        {"step": 40, "split": "train", "balancer/mel": 0.6, "balancer/mel/before": 0.9},
    )
    for size in ((80, 24), (160, 50)):
        app = dashboard(tmp_path, only="run")
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot)
            await pilot.press(str(TABS.index("codes") + 1))
            await settle(app, pilot)
            text = screen_text(app)
            assert "Codebooks of validation items" in text
            assert "60.0 %" in text


def test_bits_of_a_lossless_run_stand_beside_those_of_flac(tmp_path: Path) -> None:
    run = view(tmp_path, [], [{"step": 20, "val/bits_per_sample": 6.0}], [])
    flac = Reference("val/bits_per_sample", "FLAC", 8.0, "on everything")
    other = Reference("val/ratio", "xz", 1.0)
    assert texts(replace(run, references=(flac, other)), width=36) == [
        "Bits per sample of what validates",
        "model         6  " + "█" * 14 + "▎",
        "FLAC          8  " + "█" * 19,
        "the model needs 25.0 % less than FLAC",
        "on everything",
    ]
    assert texts(run)[-1].endswith("no references.json, as in runs of earlier versions")
    lacks = replace(run, references_missing="FLAC: libsndfile 1.0.0 writes no FLAC")
    assert texts(lacks)[-1] == "not measured: FLAC: libsndfile 1.0.0 writes no FLAC"

"""Comparing checkpoints: what is read, and the page that shows it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from codecctl.dashboard.compare_screen import CompareScreen, difference_cells
from codecctl.dashboard.comparison import Mark, best_mark, compare_marks
from codecctl.dashboard.run_screen import TABS, RunScreen
from codecctl.engine.paired_statistics import difference

from .dashboard_runs import NOW, append, dashboard, make_run, screen_text, settle, train_row

SIZE = (130, 40)


def make_pair(folder: Path) -> tuple[Path, Path]:
    """Two runs with a checkpoint each; the second is better by 0.1 to 0.8 on eight items."""
    runs = (make_run(folder, "old", started=NOW - 9), make_run(folder, "new"))
    for index, run in enumerate(runs):
        (run / "validation.jsonl").unlink()
        for item in range(8):
            value = 2.0 + item - index * 0.1 * (1 + item)
            scene = "Beach" if item < 4 else "Park"
            row: dict[str, object] = {"step": 20, "item": item, "scene": scene}
            append(run / "validation.jsonl", {**row, "metric": "mel", "value": value})
        first, second = np.full(4, 1.0 + index, np.float32), np.ones(2, np.float32)
        weights = {"encoder.0.w": first, "encoder.1.b": second}
        save_file(weights, run / "checkpoints" / "step-000000020" / "weights.safetensors")
    profile = json.loads((runs[1] / "profile.json").read_text())
    profile["profile"]["trainer"]["seed"] = 8
    (runs[1] / "profile.json").write_text(json.dumps(profile))
    return runs


def test_items_settings_and_weights_are_compared_with_the_first(tmp_path: Path) -> None:
    old, new = make_pair(tmp_path)
    found = compare_marks([Mark(old, 20), Mark(new, 20)])
    (against,) = found.others
    assert [(each.scene, each.count, each.win_rate) for each in against.differences] == [
        ("", 8, 1.0),
        ("Beach", 4, 1.0),
        ("Park", 4, 1.0),
    ]
    assert against.differences[0].p == 2 / 2**8
    assert found.settings == {"trainer.seed": ("7", "8")}
    layers = {each.layer: (each.count, each.norm, each.change) for each in against.layers}
    assert layers == {"encoder.0": (4, 2.0, 2.0), "encoder.1": (2, 2**0.5, 0.0)}
    assert (against.unlike, against.problem) == ((), "")


def test_a_checkpoint_that_is_gone_leaves_the_metrics(tmp_path: Path) -> None:
    old, new = make_pair(tmp_path)
    (against,) = compare_marks([Mark(old, 20), Mark(new, 99)]).others
    assert against.differences == ()
    assert against.problem == "new:99: no such checkpoint (any more); choose another"


def test_the_best_checkpoint_stands_for_a_run(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    assert best_mark(run) == Mark(run, 20)
    assert best_mark(tmp_path / "none") is None


def test_a_mark_says_better_or_worse_only_where_the_interval_leaves_zero_out() -> None:
    worse = [(1.0, 1.0 + 0.1 * i) for i in range(1, 9)]
    for metric, sign in (("mel", "✗"), ("si_sdr", "✓")):
        cells = difference_cells(difference(metric, "", worse, higher_better=metric == "si_sdr"))
        assert str(cells[5]).endswith(sign)
    few = difference_cells(difference("mel", "", worse[:5], higher_better=False))
    assert str(few[5]) == "+0.3"
    assert few[6] == "needs 6 items"


@pytest.mark.long
async def test_marked_checkpoints_of_two_runs_are_compared_on_a_page(tmp_path: Path) -> None:
    make_pair(tmp_path)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(app, pilot)
        await pilot.press("down", "c")
        await pilot.pause()
        assert "mark two checkpoints with m first" in screen_text(app)
        await pilot.press("m", "up", "m")
        assert [mark.text for mark in app.marks] == ["old:20", "new:20"]
        await pilot.press("c")
        await settle(app, pilot)
        assert isinstance(app.screen, CompareScreen)
        text = screen_text(app)
        assert "old:20 against new:20" in text
        row = next(line for line in text.split("\n") if line.startswith(" mel "))
        assert row.split()[:7] == ["mel", "all", "8", "5.500", "5.050", "-0.45", "✓"]
        assert "100%" in row
        await pilot.press("2")
        await settle(app, pilot)
        assert "trainer.seed" in screen_text(app)
        await pilot.press("3")
        await settle(app, pilot)
        text = screen_text(app)
        row = next(line for line in text.split("\n") if "encoder.0" in line)
        assert row.split() == ["encoder.0", "4", "2.000", "2.000", "100.0%"]
        await pilot.press("escape")
        await settle(app, pilot)
        assert "2 runs" in screen_text(app)


@pytest.mark.long
async def test_a_narrow_page_keeps_names_changes_and_intervals(tmp_path: Path) -> None:
    marks = [Mark(run, 20) for run in make_pair(tmp_path)]
    for index, mark in enumerate(marks):
        for item in range(8):
            row: dict[str, object] = {"step": 20, "item": item, "scene": "TrainStation"}
            values = {"metric": "second_code_difference", "value": 0.5 + 0.01 * index * (item + 1)}
            append(mark.run / "validation.jsonl", {**row, **values})
    app = dashboard(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        app.marks = marks
        await pilot.press("c")
        await settle(app, pilot)
        text = screen_text(app)
        head = next(line for line in text.split("\n") if line.startswith(" metric"))
        assert head.split() == ["metric", "scene", "change", "95", "%", "of", "the", "change"]
        assert "   second_code_difference " in text  # of a scene
        row_text = next(line for line in text.split("\n") if line.startswith(" second_code"))
        assert row_text.split()[1:] == ["all", "+0.045", "✓", "+0.02", "…", "+0.07"]
        assert "n Next" not in text


@pytest.mark.long
async def test_checkpoints_of_one_run_are_marked_in_their_table(tmp_path: Path) -> None:
    run, _ = make_pair(tmp_path)
    later = run / "checkpoints" / "step-000000040"
    later.mkdir()
    (later / "meta.json").write_text('{"step": 40, "epoch": 4, "metrics": {}}')
    app = dashboard(tmp_path, only="old")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press(str(TABS.index("checkpoints") + 1))
        await settle(app, pilot)
        await pilot.press("m", "down", "m", "m", "m")
        assert [mark.step for mark in app.marks] == [40, 20]
        await pilot.press("c")
        await settle(app, pilot)
        text = screen_text(app)
        assert "no validation items in common" in text
        await pilot.press("3")
        await settle(app, pilot)
        assert "no whole safetensors file" in screen_text(app)


@pytest.mark.long
async def test_curves_are_aligned_and_a_checkpoint_leads_to_its_previews(tmp_path: Path) -> None:
    old, new = make_pair(tmp_path)
    append(new / "metrics.jsonl", train_row(60, 0.5))
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.marks = [Mark(old, 20), Mark(new, 20)]
        await pilot.press("c")
        await settle(app, pilot)
        await pilot.press("4")
        await settle(app, pilot)
        assert "A old · B new" in screen_text(app)
        grid = app.active_grid()
        assert grid is not None
        (chart,) = [chart for chart in grid.charts() if chart.metric == "loss/mel"]
        assert [(curve.x[0], curve.x[-1]) for curve in chart.curves] == [(0, 39), (0, 60)]
        assert app.screen.focused is grid.charts()[0]
        await pilot.press("A")
        await settle(app, pilot)
        assert "0 is the best checkpoint" in screen_text(app)
        assert [(curve.x[0], curve.x[-1]) for curve in chart.curves] == [(-20, 19), (-20, 40)]
        await pilot.press("p")
        await settle(app, pilot)
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_name == "new"
        assert "no previews yet" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert isinstance(app.screen, CompareScreen)

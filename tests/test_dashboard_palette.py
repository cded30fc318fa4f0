"""The palette, with more names than one can read: what it finds, and that it stays quick."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.matching import Match, match_letters, match_words

from .dashboard_runs import append, dashboard, make_run, settle


def test_words_are_found_anywhere_and_in_any_order() -> None:
    name = "sort runs by val/group3/metric-17"
    found = match_words("metric-17 sort", name)
    assert found is not None
    assert found.ranges == ((0, 4), (24, 33))
    assert match_words("metric-17 sorts", name) is None
    assert match_words("  ", name) is None


def test_a_text_in_one_piece_goes_before_its_words_and_these_before_letters() -> None:
    texts = ("val/mel", "valid mel", "vxaxlxmxexl")
    found = [match_words("val mel", "val mel"), *(match_words("val mel", text) for text in texts)]
    scores = [0.0 if each is None else each.score for each in found]
    assert scores[0] > scores[1] > 1
    assert scores[2] > 1
    letters = match_letters("val mel", texts[2])
    assert found[3] is None
    assert letters is not None
    assert letters.score < 1


def test_letters_are_found_in_their_order_and_those_close_together_first() -> None:
    assert match_letters("vmel", "val/mel") == Match(4 / 9, ((0, 1), (4, 7)))
    assert match_letters("lemv", "val/mel") is None
    assert match_letters(" ", "val/mel") is None
    near, far = match_letters("abc", "abcx"), match_letters("abc", "axbxc")
    assert near is not None
    assert far is not None
    assert near.score > far.score


def test_letters_that_occur_many_times_take_no_time() -> None:
    begin = time.process_time()
    assert match_letters("a" * 30 + "b", "a" * 200) is None  # 10^37 ways to place them
    assert time.process_time() - begin < 0.1


async def search(app: DashboardApp, pilot: Pilot[None], text: str) -> list[str]:
    """The first lines of what the palette shows for a text."""
    await pilot.press("ctrl+p")
    app.screen.query_one(Input).value = text
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()
    assert isinstance(app.screen, CommandPalette)
    shown = app.screen.query_one(CommandList)
    lines = [str(shown.get_option_at_index(at).prompt) for at in range(shown.option_count)]
    await pilot.press("escape")
    await pilot.pause()
    return [line.split("\n")[0] for line in lines]


@pytest.mark.long
async def test_two_thousand_metrics_and_many_runs_are_searched(tmp_path: Path) -> None:
    names = {f"val/group{number // 50}/metric-{number}": float(number) for number in range(2000)}
    for number in range(30):
        run = make_run(tmp_path, f"run-{number:02d}", started=1e9 - number)
        append(run / "metrics.jsonl", {"step": 50, "split": "train", **names})
    app = dashboard(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "Sort runs by val/group39/metric-1999" in await search(app, pilot, "1999 sort")
        assert (await search(app, pilot, "metric val/group3/metric-151"))[0] == (
            "Metric val/group3/metric-151"
        )
        assert (await search(app, pilot, "open run-07"))[0] == "Open run run-07"
        assert "X axis epoch" in await search(app, pilot, "xepo")
        assert len(await search(app, pilot, "e")) < 80
        assert await search(app, pilot, "zzzz") in ([], ["No matches found"])


@pytest.mark.long
async def test_brackets_in_names_and_explanations_are_no_markup(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run [bold]")
    append(run / "metrics.jsonl", {"step": 50, "split": "train", "loss/[/x]": 1.0})
    app = dashboard(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "Open run run [bold]" in await search(app, pilot, "open run")
        assert "Metric loss/[/x]" in await search(app, pilot, "metric loss")

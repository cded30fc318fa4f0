from __future__ import annotations

import math

from codecctl.commands.info_lines import bars, frequency_text, state_lines, styled
from codecctl.commands.store_facts import CheckState, SplitState


def test_bars_are_full_at_the_top_and_gone_sixty_decibels_below() -> None:
    assert bars([-10, -40, -69.9, -70, -200, -math.inf], top=-10) == "▇▄▁   "


def test_bands_are_written_short() -> None:
    assert [frequency_text(f) for f in (31.5, 63, 1000, 16_000)] == ["31.5", "63", "1k", "16k"]


def test_a_check_of_another_state_of_the_store_is_stale() -> None:
    check = CheckState("ok", "2026-01-01", stale=True)
    assert state_lines(check, [], [], {}, name="s")[1] == (
        "check     ok, 2026-01-01; the store has changed since: codecctl data check s"
    )


def test_splits_are_listed_with_how_they_were_made() -> None:
    splits = [
        SplitState("one-out", "leave one scene out, seed 1", 8, ""),
        SplitState("old", "by scene, seed 1", 1, "gone: Beach.1"),
    ]
    lines = state_lines(None, splits, ["paired"], {"huge": "found 2 channels"}, name="s")
    assert lines[2:] == [
        "splits    one-out: leave one scene out, seed 1 (8 folds)",
        "          old: by scene, seed 1; the store has changed: gone: Beach.1",
        "profiles  that can train on it: paired",
        "          not huge: found 2 channels",
    ]


def test_titles_are_bold_on_a_terminal_and_expectations_dim() -> None:
    assert str(styled("sources").style) == "bold"
    assert [str(span.style) for span in styled("    diffuse field  1.00").spans] == ["dim"]
    assert [str(span.style) for span in styled("  Beach  ▁█ -50").spans] == ["cyan"]

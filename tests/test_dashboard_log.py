from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codecctl.commands.train_transcript import Transcript
from codecctl.dashboard.log_pane import wrapped
from codecctl.dashboard.run_screen import TABS

from .dashboard_runs import dashboard, make_run, screen_text, settle


@pytest.mark.long
async def test_what_a_training_says_is_seen_while_it_says_it_and_searched(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    app = dashboard(tmp_path, only="run")
    said = Transcript()
    with said.listening():
        terminal = sys.stderr  # the dashboard has its own from here on
        terminal.write("loading torch\n")
        said.into(run)
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(app, pilot)
            await pilot.press(str(TABS.index("log") + 1))
            await settle(app, pilot)
            assert "train.log · 1 line" in screen_text(app)
            assert "loading torch" in screen_text(app)
            terminal.write("\r\x1b[Kstep 7/100 epoch 1 | 31.3 audio-s/s, 0:44 min left")
            terminal.write("\nUserWarning: is deprecated\n")
            await settle(app, pilot)
            assert "step 7/100 epoch 1 | 31.3 audio-s/s" in screen_text(app)
            await pilot.press("slash", *"Warn", "enter")
            await settle(app, pilot)
            assert "1 line · only Warn" in screen_text(app)
            assert "step 7/100" not in screen_text(app)
            terminal.write("UserWarning: and slow\n")
            await settle(app, pilot)
            assert "UserWarning: and slow" in screen_text(app)


def test_long_lines_go_on_below_what_was_said() -> None:
    line = "2026-11-29 09:44:57 step 30/30 epoch 6 | mel 39.6"
    assert wrapped(line, 60) == (line,)
    assert wrapped(line, 42) == ("2026-11-29 09:44:57 step 30/30 epoch 6 |", " " * 20 + "mel 39.6")
    assert wrapped("    raise SomeError(about, what)", 20) == (
        "    raise",
        "  SomeError(about,",
        "  what)",
    )
    assert wrapped("x" * 45, 20) == ("x" * 20, "  " + "x" * 18, "  " + "x" * 7)
    assert wrapped(line, 0) == (line,)


@pytest.mark.long
async def test_all_of_a_long_line_is_seen_in_any_width(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    line = "2026-11-29 09:44:57 step 30/30 epoch 6 | " + " ".join(f"word{n}" for n in range(30))
    (run / "train.log").write_text(f"{line}\nlast\n", encoding="utf-8")
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(app, pilot)
        await pilot.press(str(TABS.index("log") + 1))
        await settle(app, pilot)
        wide = screen_text(app)
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        narrow = screen_text(app)
    for text in (wide, narrow):
        assert "train.log · 2 lines" in text
        assert " ".join(line.split()) in " ".join(text.split())
    assert narrow.count("\n" + " " * 21 + "word") > wide.count("\n" + " " * 21 + "word") > 0

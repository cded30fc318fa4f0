from __future__ import annotations

import sys
from pathlib import Path

from codecctl.commands.train_transcript import Transcript
from codecctl.dashboard.run_screen import TABS

from .dashboard_runs import dashboard, make_run, screen_text, settle


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

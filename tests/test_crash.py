from __future__ import annotations

from pathlib import Path

import numpy as np

from codecctl.datasets.batch import Batch, Item
from codecctl.engine.crash import write_crash
from codecctl.engine.rundir import RunDirectory


def test_a_crash_report_has_step_windows_and_traceback(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    batch = Batch(np.zeros((1, 2, 4), np.float32), 24000, (Item("Beach.1", 48, (3, 17)),))
    try:
        _ = [][1]
    except IndexError as error:
        write_crash(run, error, step=12, batch=batch)
    run.close()

    text = (run.path / "crash.txt").read_text(encoding="utf-8")
    assert "updates done: 12\nbatch in work:\n  0: Beach.1, from frame 48, channels 3, 17\n" in text
    assert text.rstrip().endswith("IndexError: list index out of range")

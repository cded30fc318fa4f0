"""`codecctl train` killed, stopped, damaged and resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from codecctl.dashboard.app import DashboardApp
from codecctl.engine.rundir import list_checkpoints, read_rows, read_state

from .training import (
    CODECCTL,
    ENDLESS,
    SHORT,
    STEPS,
    assert_equal_runs,
    run,
    start,
    wait_for_step,
    write_store,
)

pytestmark = pytest.mark.e2e

# The command, dying by SIGKILL before the n-th rename: while a checkpoint is put in its place.
DYING = """
import os, pathlib, sys
rename, left = pathlib.Path.rename, [int(sys.argv.pop(1))]

def dying(*arguments):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)
    return rename(*arguments)

pathlib.Path.rename = dying
sys.argv[0] = "codecctl"
from codecctl.cli import main
main()
"""


def test_killed_in_the_middle_and_resumed_equals_the_run_that_was_not(home: Path) -> None:
    process = start(home, "train", *SHORT, "--run", "killed")
    wait_for_step(process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL

    code, _, err = run(home, "train", *SHORT, "--run", "killed", "--resume")
    assert code == 0, err
    assert_equal_runs(home / "runs" / "whole", home / "runs" / "killed")


def test_killed_while_a_checkpoint_is_written_and_resumed_is_the_same(home: Path) -> None:
    program = (sys.executable, "-c", DYING, "17")
    code, _, err = run(home, "train", *SHORT, "--run", "torn", program=program)
    assert code == -signal.SIGKILL, err
    assert list((home / "runs" / "torn" / "checkpoints").glob(".tmp-*"))

    # The short form: profile and overrides are those of the run.
    code, _, err = run(home, "train", "--run", "torn", "--resume")
    assert code == 0, err
    assert not list((home / "runs" / "torn" / "checkpoints").glob(".tmp-*"))
    kinds = [row["kind"] for row in read_rows(home / "runs" / "torn" / "events.jsonl")]
    assert "resumed" in kinds
    assert_equal_runs(home / "runs" / "whole", home / "runs" / "torn")


def test_a_disk_that_is_full_keeps_the_last_checkpoint_and_the_resumed_run_is_the_same(
    home: Path,
) -> None:
    code, _, err = run(home, "train", *SHORT, "--run", "full", "trainer.max_steps=5")
    assert code == 0, err
    limited = ("bash", "-c", f'ulimit -f 300; exec {CODECCTL} "$@"', "codecctl")  # kB
    again = ("train", "--run", "full", "--resume", f"trainer.max_steps={STEPS}")
    code, _, err = run(home, *again, program=limited)
    assert code == 1, err
    assert "step-000000006: checkpoint not saved: disk or quota full" in err
    assert "step-000000005 is kept" in err
    assert list_checkpoints(home / "runs" / "full")[-1].step == 5

    code, _, err = run(home, *again)
    assert code == 0, err
    # The first part ended at step 5 and validated there, which the whole run did not.
    folders = (home / "runs" / "whole", home / "runs" / "full")
    weights = [
        path / "checkpoints" / f"step-{STEPS:09d}" / "weights.safetensors" for path in folders
    ]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(home: Path) -> None:
    damaged = home / "runs" / "damaged"
    shutil.copytree(home / "runs" / "whole", damaged)
    state = damaged / "checkpoints" / f"step-{STEPS:09d}" / "state.pt"
    os.truncate(state, state.stat().st_size // 2)

    code, _, err = run(home, "train", "--run", "damaged", "--resume")

    assert code == 0, err
    assert "warning: damaged checkpoint step-000000016: state.pt has " in err
    assert "continuing from step-000000015" in err
    warnings = [row for row in read_rows(damaged / "events.jsonl") if row["kind"] == "warning"]
    assert "step-000000016" in str(warnings[-1]["message"])
    assert_equal_runs(home / "runs" / "whole", damaged)


async def test_the_dashboard_resumes_a_stopped_run_in_a_process_of_its_own(home: Path) -> None:
    stopped = home / "runs" / "stopped-here"
    shutil.copytree(home / "runs" / "whole", stopped)
    shutil.rmtree(stopped / "checkpoints" / f"step-{STEPS:09d}")
    state = json.loads((stopped / "state.json").read_text(encoding="utf-8"))
    changed = state | {"status": "stopped", "step": STEPS - 1}
    (stopped / "state.json").write_text(json.dumps(changed), encoding="utf-8")

    app = DashboardApp(home / "runs", only="stopped-here")
    async with app.run_test(size=(100, 30)) as pilot:
        while not app.snapshot.runs or app.is_reading:
            await pilot.pause(0.05)
        await pilot.press("R", "y")
    until = time.monotonic() + 120
    while (after := read_state(stopped)) is None or after.status != "finished":
        assert time.monotonic() < until, (stopped / "resume.log").read_text(encoding="utf-8")
        time.sleep(0.1)
    log = (stopped / "resume.log").read_text(encoding="utf-8")
    assert f"step {STEPS}/{STEPS} " in log, log
    assert "step 1/" not in log, log  # it went on, and did not start again
    assert_equal_runs(home / "runs" / "whole", stopped)


@pytest.mark.parametrize(
    ("number", "code", "end"),
    [
        (signal.SIGINT, 130, "--run stopped-2 --resume"),
        (signal.SIGTERM, 75, "--run stopped-15 --resume"),
    ],
)
def test_a_signal_saves_and_stops_with_its_exit_code(
    home: Path, number: signal.Signals, code: int, end: str
) -> None:
    name = f"stopped-{number.value}"
    process = start(home, "train", *ENDLESS, "--run", name)
    wait_for_step(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)

    assert process.returncode == code, err
    last = err.strip().splitlines()[-1]
    assert "checkpoint saved; " in last
    assert last.endswith(end)
    state = read_state(home / "runs" / name)
    assert state is not None
    assert state.status == "stopped"
    assert list_checkpoints(home / "runs" / name)[-1].step == state.step


def test_a_run_can_be_asked_to_stop_and_the_second_ctrl_c_quits(home: Path) -> None:
    process = start(home, "train", *ENDLESS, "--run", "asked")
    wait_for_step(process)
    assert run(home, "train", *ENDLESS, "--run", "asked", "--resume")[0] == 2  # it is alive
    code, _, err = run(home, "runs", "stop", "asked")
    assert (code, "to save and stop" in err) == (0, True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "checkpoint saved; continue with: codecctl train --profile paired" in err

    process = start(home, "train", "--run", "asked", "--resume")
    assert process.stderr is not None
    while not process.stderr.readline().startswith("step "):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err


def test_a_changed_profile_or_store_is_not_continued(home: Path, tmp_path: Path) -> None:
    change = "trainer.optimizer.config.weight_decay=0.5"
    code, _, err = run(home, "train", "--run", "whole", "--resume", change)
    assert code == 3
    assert "whole: the profile is not the one that this run was started with" in err
    assert "trainer.optimizer.config.weight_decay: 0.5 now, 0.0 then" in err

    write_store(home / "stores" / "other", seconds=0.6)
    code, _, err = run(home, "train", "--run", "whole", "--resume", "data.store=other")
    shutil.rmtree(home / "stores" / "other")
    assert code == 4
    assert "store other is not the one that this run was started with" in err


def test_with_nothing_to_resume_it_starts_and_says_so(home: Path) -> None:
    few = ("trainer.max_steps=1", "--run", "new", "--resume")
    code, _, err = run(home, "train", *SHORT, *few)
    assert code == 0, err
    assert "nothing to resume: new starts at step 0" in err

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from codecctl.engine.lease import Lease, RunState, read_state
from codecctl.errors import CodecctlError, UsageError


def _write(run: Path, state: RunState) -> None:
    (run / "state.json").write_text(json.dumps(asdict(state)), encoding="utf-8")


def test_a_lease_writes_who_trains_and_the_last_status(tmp_path: Path) -> None:
    lease = Lease(tmp_path, RunState("running", max_steps=9))

    state = read_state(tmp_path)
    assert state is not None
    assert (state.status, state.pid, state.max_steps) == ("running", os.getpid(), 9)
    assert state.is_alive(time.time())

    lease.update(step=4, epoch=2)
    lease.release("stopped", "asked to")
    state = read_state(tmp_path)
    assert state is not None
    assert (state.status, state.step, state.epoch, state.message) == ("stopped", 4, 2, "asked to")
    assert not state.is_alive(time.time())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json"]


def test_a_second_job_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    lease = Lease(tmp_path, RunState("running"))
    with pytest.raises(UsageError, match=rf"process {os.getpid()} on .* is training this run"):
        Lease(tmp_path, RunState("running"))
    lease.release("finished", "")
    Lease(tmp_path, RunState("running")).release("finished", "")


def test_a_run_whose_process_was_killed_on_this_machine_is_free_at_once(tmp_path: Path) -> None:
    code = (
        "import os, pathlib\n"
        "from codecctl.engine.lease import Lease, RunState\n"
        f"Lease(pathlib.Path({str(tmp_path)!r}), RunState('running', step=7))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    state = read_state(tmp_path)
    assert state is not None
    assert state.is_alive(time.time())

    lease = Lease(tmp_path, RunState("running"), take_over_seconds=0)
    lease.release("finished", "")


def test_a_run_of_another_node_is_free_when_its_heartbeat_does_not_move(tmp_path: Path) -> None:
    _write(tmp_path, RunState("running", pid=1, host="node7", heartbeat=time.time(), lease="a"))
    said: list[str] = []

    lease = Lease(tmp_path, RunState("running"), take_over_seconds=0.01, on_wait=said.append)
    lease.release("finished", "")
    assert len(said) == 1
    assert "process 1 on node7 was alive" in said[0]


def test_a_run_of_another_node_is_refused_when_its_heartbeat_moves(tmp_path: Path) -> None:
    state = RunState("running", pid=1, host="node7", heartbeat=time.time(), lease="a", step=3)
    _write(tmp_path, state)

    def beat(_: str) -> None:
        _write(tmp_path, replace(state, heartbeat=time.time()))

    with pytest.raises(UsageError, match=r"process 1 on node7 .*step 3.* codecctl runs stop"):
        Lease(tmp_path, RunState("running"), take_over_seconds=0.01, on_wait=beat)


def test_a_job_whose_run_was_taken_over_writes_nothing_more(tmp_path: Path) -> None:
    lease = Lease(tmp_path, RunState("running"))
    lease.check()
    other = RunState("running", pid=5, host="node8", heartbeat=time.time(), lease="b")
    _write(tmp_path, other)

    lease.release("finished", "")

    assert read_state(tmp_path) == other
    with pytest.raises(CodecctlError, match="process 5 on node8 has taken over"):
        lease.check()


def test_an_active_run_without_heartbeat_is_shown_as_lost() -> None:
    state = RunState("running", heartbeat=1000.0)
    assert state.shown(1010.0) == "running"
    assert state.shown(1030.0) == "lost"
    assert replace(state, status="finished").shown(1030.0) == "finished"


@pytest.mark.parametrize("wrong", ['"x"', "null", "[1]", "true", "NaN", "1e999", "9" * 400])
def test_a_field_of_the_wrong_type_counts_as_missing(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(
        f'{{"status": "running", "heartbeat": {wrong}, "started": {wrong}, "step": {wrong}, '
        '"max_steps": 9}'
    )
    assert read_state(tmp_path) == RunState("running", max_steps=9)
    (tmp_path / "state.json").write_text('{"status": 5, "host": 5, "epoch": 1.5, "step": 3}')
    assert read_state(tmp_path) == RunState("failed", step=3)

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


def test_a_requeued_job_takes_the_run_of_its_dead_self_on_another_host(tmp_path: Path) -> None:
    """The number of a Slurm job says nothing: the same one comes back on other nodes.

    Its old process, whose id may be anyone's here, is judged by its heartbeat alone.
    """
    dead = RunState(
        "running", pid=os.getpid(), host="node7", process="other-boot/pid:[1]/1/1", lease="a"
    )
    _write(tmp_path, replace(dead, heartbeat=time.time() - 60))
    said: list[str] = []
    began = time.monotonic()
    lease = Lease(tmp_path, RunState("starting"), on_wait=said.append)
    assert time.monotonic() - began < 5
    assert not said
    state = read_state(tmp_path)
    assert state is not None
    assert (state.host, state.lease) != (dead.host, dead.lease)
    assert state.host == lease.state.host
    lease.release("finished", "")


def test_a_job_that_slept_through_its_own_takeover_writes_nothing_more(tmp_path: Path) -> None:
    """A node that froze and came back: its heartbeat finds the other lease and stays silent."""
    first = Lease(tmp_path, RunState("running", step=5))
    frozen = read_state(tmp_path)
    assert frozen is not None
    _write(tmp_path, replace(frozen, host="node7", process="other-boot/pid:[1]/1/1", heartbeat=0.0))
    second = Lease(tmp_path, RunState("running", step=9))
    first.update(step=6)
    first._write()  # as its thread does every 5 s

    state = read_state(tmp_path)
    assert state is not None
    assert (state.lease, state.step) == (second.state.lease, 9)
    assert first.lost.is_set()
    with pytest.raises(CodecctlError, match=r"has taken over this run; this job ends without sav"):
        first.check()
    second.check()
    first.release("finished", "")
    second.release("stopped", "by a signal")
    state = read_state(tmp_path)
    assert state is not None
    assert (state.status, state.message) == ("stopped", "by a signal")


_RACE = """
import pathlib, sys, time
from codecctl.engine.lease import Lease, RunState
from codecctl.errors import UsageError
print("ready", flush=True)
sys.stdin.readline()
try:
    lease = Lease(pathlib.Path(sys.argv[1]), RunState("running"), take_over_seconds=0.1)
except UsageError as error:
    print("refused", error)
else:
    print("holds", lease.state.lease, flush=True)
    sys.stdin.readline()
    lease.check()
    lease.release("finished", "")
"""


def test_of_jobs_that_come_together_one_gets_the_run_and_the_others_a_line(
    tmp_path: Path,
) -> None:
    """After a requeue on two nodes at once: all find the same stale heartbeat."""
    stale = RunState("running", pid=1, host="node7", process="b/p/1/1", heartbeat=1.0, lease="a")
    _write(tmp_path, stale)
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", _RACE, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    streams = [(job.stdin, job.stdout) for job in jobs]
    for _, out in streams:
        assert out is not None
        assert out.readline() == "ready\n"
    for into, _ in streams:
        assert into is not None
        into.write("\n")
        into.flush()
    answers = [out.readline() for _, out in streams if out is not None]
    holders = [answer.split()[1] for answer in answers if answer.startswith("holds")]
    assert len(holders) == 1
    state = read_state(tmp_path)
    assert state is not None
    assert state.lease == holders[0]
    refused = [answer for answer in answers if answer.startswith("refused")]
    assert len(refused) == 3
    assert all("is training this run" in each or "taking this run" in each for each in refused)
    for job in jobs:
        job.communicate("\n", timeout=20)
    assert [job.returncode for job in jobs] == [0] * 4


def test_a_job_that_was_overtaken_between_its_look_and_its_claim_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = RunState("running", pid=5, host="node8", heartbeat=time.time(), lease="b", step=2)
    monkeypatch.setattr(
        "codecctl.engine.lease._wait_until_free", lambda run, _seconds, _told: _write(run, other)
    )
    with pytest.raises(UsageError, match=r"process 5 on node8 is training this run \(step 2\)"):
        Lease(tmp_path, RunState("running"))
    assert read_state(tmp_path) == other
    assert not (tmp_path / ".lease").exists()


def test_a_claim_waits_for_nobody_but_outlives_one_that_was_killed(tmp_path: Path) -> None:
    claim = tmp_path / ".lease"
    claim.touch()
    with pytest.raises(UsageError, match="another job is taking this run right now"):
        Lease(tmp_path, RunState("running"))
    assert claim.exists()
    minute_ago = time.time() - 60
    os.utime(claim, (minute_ago, minute_ago))
    Lease(tmp_path, RunState("running")).release("finished", "")
    assert not claim.exists()

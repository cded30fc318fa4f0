"""Runs ingest jobs in worker processes and survives the death of any of them."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

from codecctl.datasets.ingest_recording import Job
from codecctl.datasets.store import RecordingInfo

HEARTBEAT_SECONDS = 5.0
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    job: Job
    stored: tuple[RecordingInfo | None, ...] = ()
    """One for each output of the job; None: the store already held it. Empty with a reason."""
    refused: str = ""
    """Why the file cannot be taken."""
    failed: str = ""
    """Why the recording could not be written; there is no use in going on."""
    crashed: str = ""
    """How the worker died; the other recordings are not concerned."""


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]
    """What it writes to stderr."""
    job: Job | None = None
    unread: bytearray = field(default_factory=bytearray)


class Pool:
    """Context manager around worker processes; leaving it ends them.

    Args:
        num_workers: Processes at a time.
        locks: File descriptors that workers inherit: locks on them last until the last is gone.
        on_bytes: Called with bytes of sources read since the last call.
        on_idle: Called at least every `HEARTBEAT_SECONDS`.
    """

    def __init__(
        self,
        num_workers: int,
        *,
        locks: Sequence[int],
        on_bytes: Callable[[int], None],
        on_idle: Callable[[], None],
    ) -> None:
        assert num_workers > 0, num_workers
        self._num_workers = num_workers
        self._locks = tuple(locks)
        self._on_bytes = on_bytes
        self._on_idle = on_idle
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.job is not None:
                worker.process.terminate()
            self._close_stdin(worker)
        for worker in self._workers:
            try:
                worker.process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            self._forget(worker)
        self._workers.clear()
        self._selector.close()

    def run(self, jobs: Sequence[Job], on_outcome: Callable[[Outcome], None]) -> None:
        """Do all jobs, in order as workers become free; stop handing out after a failed write.

        Args:
            jobs: Each stores another recording.
            on_outcome: Called once for each job that was begun.
        """
        waiting = deque(jobs)
        for _ in range(min(self._num_workers, len(waiting))):
            self._hand_out(self._start(), waiting)
        while any(worker.job is not None for worker in self._workers):
            ready = self._selector.select(HEARTBEAT_SECONDS)
            self._on_idle()
            for key, _ in ready:
                worker: _Worker = key.data
                outcome = self._hear(worker)
                if outcome is None:
                    continue
                on_outcome(outcome)
                if outcome.failed:
                    waiting.clear()
                if outcome.crashed:
                    self._workers.remove(worker)
                    worker = self._start() if waiting else worker
                self._hand_out(worker, waiting)

    def _start(self) -> _Worker:
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        process = subprocess.Popen(
            [sys.executable, "-m", "codecctl.datasets.ingest_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=os.environ | {"PYTHONSAFEPATH": "1"},  # the working folder may hold a numpy.py
            pass_fds=self._locks,
        )
        worker = _Worker(process, complaints)
        assert process.stdout is not None, process
        self._selector.register(process.stdout, selectors.EVENT_READ, worker)
        self._workers.append(worker)
        return worker

    def _hand_out(self, worker: _Worker, waiting: deque[Job]) -> None:
        worker.job = waiting.popleft() if waiting else None
        if worker.job is None:
            return
        assert worker.process.stdin is not None, worker
        with contextlib.suppress(BrokenPipeError):  # it died: the end of its stdout tells
            worker.process.stdin.write(json.dumps(worker.job.to_json()).encode() + b"\n")
            worker.process.stdin.flush()

    def _hear(self, worker: _Worker) -> Outcome | None:
        """Take what a worker has said; an outcome if it finished its job or died."""
        assert worker.process.stdout is not None, worker
        data = os.read(worker.process.stdout.fileno(), 1 << 16)
        if not data:
            return self._bury(worker)
        worker.unread += data
        *lines, rest = bytes(worker.unread).split(b"\n")
        worker.unread[:] = rest
        for line in lines:
            answer = json.loads(line)
            if "bytes" in answer:
                self._on_bytes(answer["bytes"])
                continue
            assert worker.job is not None, answer
            rows = answer.pop("stored", ())
            stored = tuple(row and RecordingInfo.from_json(row) for row in rows)
            return Outcome(worker.job, stored=stored, **answer)
        return None

    def _bury(self, worker: _Worker) -> Outcome | None:
        code = worker.process.wait()
        worker.complaints.seek(0)
        lines = worker.complaints.read().decode(errors="replace").strip().splitlines()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        last = f": {lines[-1]}" if lines else ""
        self._forget(worker)
        if worker.job is None:
            return None
        return Outcome(worker.job, crashed=f"the ingest process was {how}{last}")

    def _forget(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None, worker
        with contextlib.suppress(KeyError, ValueError):  # buried before
            self._selector.unregister(worker.process.stdout)
        worker.process.stdout.close()
        worker.complaints.close()
        self._close_stdin(worker)

    def _close_stdin(self, worker: _Worker) -> None:
        assert worker.process.stdin is not None, worker
        with contextlib.suppress(BrokenPipeError):
            worker.process.stdin.close()

"""Who trains a run right now: state.json, its heartbeat, and the lease that lets one job in.

`state.json` is replaced as a whole every 5 s by a thread of the training process. Watchers take
a run for alive while the heartbeat is younger than 20 s; the process id is for people. A job
that wants the run writes a lease of its own into the file; a job that finds another lease there
has lost the run and must stop writing.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from codecctl.engine.files import write_text_atomically
from codecctl.errors import CodecctlError, UsageError

HEARTBEAT_SECONDS = 5.0
STALE_SECONDS = 20.0
ACTIVE = ("starting", "running")
_LARGEST = 2**63


@dataclass(frozen=True)
class RunState:
    """The content of state.json."""

    status: str
    """"starting", "running", "finished", "stopped" or "failed"."""
    pid: int = 0
    host: str = ""
    process: str = ""
    """Boot, process-id namespace, pid and start time: tells a dead process from its namesake."""
    heartbeat: float = 0.0
    """Unix time of the last sign of life."""
    step: int = 0
    """Updates done."""
    max_steps: int = 0
    epoch: int = 0
    started: float = 0.0
    """Unix time at which this job took the run."""
    stage: str = ""
    """That is trained; empty without stages."""
    lease: str = ""
    message: str = ""
    schema: int = 1

    def is_alive(self, now: float) -> bool:
        """Whether a job works on the run: active and with a young heartbeat."""
        return self.status in ACTIVE and now - self.heartbeat < STALE_SECONDS

    def shown(self, now: float) -> str:
        """The status for people: an active run without a heartbeat is "lost"."""
        return "lost" if self.status in ACTIVE and not self.is_alive(now) else self.status


def read_state(run: Path) -> RunState | None:
    """The state of a run; None when there is none or it cannot be read.

    A field that holds something else than it should counts as missing.
    """
    try:
        value = json.loads((run / "state.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict):
        return None
    usable = {f.name: value[f.name] for f in fields(RunState) if _is_a(f.type, value.get(f.name))}
    return RunState(**{"status": "failed", **usable})


class Lease:
    """This job's hold on a run, kept up by a heartbeat thread until `release`.

    Args:
        run: The run folder.
        state: What to write first; lease, process and times are filled in here.
        take_over_seconds: For how long an unclear heartbeat is watched before a run whose job
            seems dead is taken over.
        on_wait: Told once when the heartbeat has to be watched.

    Raises:
        UsageError: Another job is alive in this run.
    """

    def __init__(
        self,
        run: Path,
        state: RunState,
        *,
        take_over_seconds: float = STALE_SECONDS,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.lost = threading.Event()
        _wait_until_free(run, take_over_seconds, on_wait)
        now = time.time()
        self._state = replace(
            state,
            pid=os.getpid(),
            host=socket.gethostname(),
            process=_process_identity(os.getpid()),
            heartbeat=now,
            started=now,
            lease=secrets.token_hex(8),
        )
        _claim(run, self._state)
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    @property
    def state(self) -> RunState:
        """What the next heartbeat will write."""
        with self._lock:
            return self._state

    def update(
        self,
        *,
        status: str | None = None,
        step: int | None = None,
        epoch: int | None = None,
        stage: str | None = None,
    ) -> None:
        """Change what the next heartbeat writes; costs no file access, so a step may call it."""
        with self._lock:
            state = self._state
            self._state = replace(
                state,
                status=state.status if status is None else status,
                step=state.step if step is None else step,
                epoch=state.epoch if epoch is None else epoch,
                stage=state.stage if stage is None else stage,
            )

    def release(self, status: str, message: str) -> None:
        """Write the last state and end the heartbeat; writes nothing if the run was lost."""
        self._ended.set()
        self._thread.join()
        with self._lock:
            self._state = replace(self._state, status=status, message=message)
        self._write()

    def check(self) -> None:
        """Stop a job whose run was taken over.

        Raises:
            CodecctlError: Another job holds the run now.
        """
        if self.lost.is_set():
            other = read_state(self._run)
            who = f"process {other.pid} on {other.host}" if other else "another job"
            raise CodecctlError(
                f"{self._run.name}: {who} has taken over this run; this job ends without saving"
            )

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            self._write()

    def _write(self) -> None:
        if self.lost.is_set():
            return
        found = read_state(self._run)
        if found is not None and found.lease != self.state.lease:
            self.lost.set()
            return
        state = replace(self.state, heartbeat=time.time())
        try:
            write_text_atomically(self._run / "state.json", _to_json(state), durable=False)
        except OSError:
            # A full disk or a folder that is gone: watchers see the old heartbeat age, and the
            # next row or checkpoint stops the training with the reason.
            return


def _is_a(kind: object, value: object) -> bool:
    """Whether a value read from JSON can be a field of this annotation: str, int or float."""
    if kind == "str":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    # Neither NaN nor infinite nor so large that arithmetic with it fails.
    return (kind == "float" or isinstance(value, int)) and abs(value) < _LARGEST


def _to_json(state: RunState) -> str:
    return json.dumps(asdict(state)) + "\n"


def _claim(run: Path, state: RunState) -> None:
    """Write the first state, with one job at a time between reading and writing."""
    lock = run / ".lease"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        if _age_seconds(lock) < STALE_SECONDS:
            raise UsageError(f"{run.name}: another job is taking this run right now") from None
    try:
        found = read_state(run)
        if found is not None and found.is_alive(time.time()) and not _is_gone(found):
            raise _taken(run, found)
        write_text_atomically(run / "state.json", _to_json(state), durable=True)
    finally:
        lock.unlink(missing_ok=True)


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # the other job is done with it
        return 0.0


def _wait_until_free(run: Path, seconds: float, on_wait: Callable[[str], None] | None) -> None:
    """Return when no job is alive in the run; refuse when one is.

    Clocks of two nodes may differ by more than a heartbeat, so an unclear case is decided by
    whether the heartbeat moves, not by its age.
    """
    found = read_state(run)
    if found is None or not found.is_alive(time.time()) or _is_gone(found):
        return
    if _is_here(found):
        raise _taken(run, found)
    if on_wait is not None:
        on_wait(
            f"{run.name}: process {found.pid} on {found.host} was alive "
            f"{time.time() - found.heartbeat:.0f} s ago; watching its heartbeat for "
            f"{seconds:.0f} s"
        )
    nothing = threading.Event()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        nothing.wait(min(1.0, seconds))
        later = read_state(run)
        if later is None or later.status not in ACTIVE:
            return
        if later.heartbeat != found.heartbeat or later.lease != found.lease:
            raise _taken(run, later)
    # Still the same heartbeat: make it look as old as it is to every later check.
    write_text_atomically(run / "state.json", _to_json(replace(found, heartbeat=0.0)), durable=True)


def _taken(run: Path, found: RunState) -> UsageError:
    return UsageError(
        f"{run.name}: process {found.pid} on {found.host} is training this run (step "
        f"{found.step}); stop it with: codecctl runs stop {run.name}"
    )


def _is_here(state: RunState) -> bool:
    """Whether the job ran where we can look its process up."""
    here = _process_identity(os.getpid()).split("/")[:2]
    return bool(here[0]) and state.process.split("/")[:2] == here


def _is_gone(state: RunState) -> bool:
    """Whether the job certainly ended: same boot and namespace, and no such process."""
    return _is_here(state) and _process_identity(state.pid) != state.process


def _process_identity(pid: int) -> str:
    """Boot id, pid namespace, pid and start time; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
        # The second field is the command in parentheses and may hold spaces.
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = status[0], status[19]
    return "" if state == "Z" else f"{boot}/{namespace}/{pid}/{started}"

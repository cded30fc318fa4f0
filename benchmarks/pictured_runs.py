"""A corpus and the runs that the pictures of the dashboard show, on a machine without a name."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from codecctl.engine.rundir import read_state

HOST = "node7"
"""What the machine is called in the runs, whatever it is."""
CORPUS = "eigenscape"
FIRST, STAGED, EXACT, LIVE = "first", "staged", "exact", "second"
RUNS = (FIRST, STAGED, EXACT, LIVE)
_PROGRAM = f"""
import socket, sys
socket.gethostname = lambda: {HOST!r}
sys.argv[0] = "codecctl"
from codecctl.cli import main
main()
"""
_PAIRED = (
    *("train", "--profile", "paired", "model=tiny", "trainer=demo", "data.val_items=48"),
    *("trainer.val_every_n_steps=30", "trainer.save_every_n_steps=60"),
    "trainer.previews={every=60,items=4,at_steps=[0]}",
)
_FINISHED = {
    FIRST: _PAIRED,
    STAGED: (
        *("train", "--profile", "soundstream", "model=tiny", "trainer=demo"),
        "trainer.stages.1.length={steps=20}",  # each takes as long as five of the others
    ),
    EXACT: (
        *("train", "--profile", "lossless-8bit", "--audio_dir", CORPUS),
        *("model=tiny", "trainer=demo"),
    ),
}
_BESIDE = (
    *(*_PAIRED, "trainer.seed=2", "trainer.optimizer.config.lr=2e-3"),
    *("trainer.max_steps=6000", "trainer.max_epochs=100", "trainer.log_every_n_steps=2"),
)
_STEP_WITH_PICTURES = 90
_PATIENCE_SECONDS = 900.0


def make_runs(home: Path) -> None:
    """Render, ingest and train below a folder what is not there yet.

    Raises:
        subprocess.CalledProcessError: A command failed; what it said is on stderr.
    """
    if not (home / "stores" / CORPUS / "index.json").is_file():
        _codecctl(home, "data", "synth", CORPUS, "--recordings", "2", "--seconds", "4")
        _codecctl(home, "data", "ingest", CORPUS)
        _codecctl(home, "data", "check", CORPUS)
    for name, words in _FINISHED.items():
        state = read_state(home / "runs" / name) if (home / "runs" / name).is_dir() else None
        if state is None or state.status != "finished":
            _codecctl(home, *words, "--run", name, "--resume")


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-P", "-c", _PROGRAM, *words]


def _codecctl(home: Path, *words: str) -> None:
    print("codecctl", *words, file=sys.stderr, flush=True)
    subprocess.run(_command(words), cwd=home, env=_environment(), stdout=2, check=True)


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "CODECCTL_HOME"}
    return {**kept, "OMP_NUM_THREADS": "1"}


@contextmanager
def training(home: Path) -> Iterator[None]:
    """A training under way, so far that its page has something on it; stopped at the end.

    Raises:
        RuntimeError: It ended, or came not that far in a quarter of an hour.
    """
    words = (*_BESIDE, "--run", LIVE, "--resume")
    process = subprocess.Popen(
        _command(words),
        cwd=home,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(home / "runs" / LIVE, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait(run: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        previews = run / "previews" / f"step-{_STEP_WITH_PICTURES // 60 * 60:09d}"
        state = read_state(run) if run.is_dir() else None
        is_far = state is not None and state.step >= _STEP_WITH_PICTURES
        if is_far and state.status == "running" and previews.is_dir():
            return
        time.sleep(0.5)  # another process writes these files and tells nobody
    raise RuntimeError(f"{run.name}: found no training at step {_STEP_WITH_PICTURES}")


def machine_words(home: Path) -> list[str]:
    """What no picture may show: names and folders of this machine."""
    return [socket.gethostname(), str(home.absolute()), str(home.resolve()), str(Path.home())]

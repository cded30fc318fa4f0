"""What an open dashboard costs a training: CPU time of the trainer with one and without.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/dashboard_beside.py [--pairs 5] [--steps 150]

Tiny trainings that log every step, in turns: one alone, one with `codecctl dashboard` open on its
curves in a terminal of 160x50. Printed are user and system time of each trainer's process, the
median of both kinds and their ratio; a trainer does not wait for whoever reads its files.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import resource
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.e2e.training import CODECCTL, TINY, write_store

ROWS, COLUMNS = 50, 160


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=150)
    given = parser.parse_args()
    found: dict[bool, list[float]] = {False: [], True: []}
    print("| pair | alone, s | with a dashboard, s | screen, bytes |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_store(home / "stores" / "noise")
        for pair in range(given.pairs):
            drawn = 0
            for watched in (False, True) if pair % 2 == 0 else (True, False):
                name = f"{'watched' if watched else 'alone'}-{pair}"
                seconds, written = measured(home, name, steps=given.steps, watched=watched)
                found[watched].append(seconds)
                drawn = max(drawn, written)
            cells = f"{found[False][-1]:.2f} | {found[True][-1]:.2f} | {drawn}"
            print(f"| {pair + 1} | {cells} |", flush=True)
    alone, beside = (statistics.median(found[watched]) for watched in (False, True))
    print(
        f"median alone {alone:.2f} s, with a dashboard {beside:.2f} s: ratio {beside / alone:.3f}"
    )


def measured(home: Path, name: str, *, steps: int, watched: bool) -> tuple[float, int]:
    """CPU seconds of a trainer, and what a dashboard drew meanwhile, in bytes."""
    with dashboard(home) if watched else nobody() as drawn:
        seconds = train(home, name, steps)
        return seconds, drawn[0]


def train(home: Path, name: str, steps: int) -> float:
    """User and system time of a training."""
    words = (
        *("train", *TINY, "trainer.logger=jsonl", "trainer.log_every_n_steps=1"),
        *(f"trainer.max_steps={steps}", "trainer.max_epochs=1000", "--run", name),
    )
    process = subprocess.Popen(
        [CODECCTL, *words], cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said.decode()
    return _cpu(used)


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


@contextmanager
def nobody() -> Iterator[list[int]]:
    """No dashboard."""
    yield [0]


@contextmanager
def dashboard(home: Path) -> Iterator[list[int]]:
    """A dashboard in a terminal of its own, and how many bytes it has drawn."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(home)
        os.environ["TERM"] = "xterm-256color"
        os.execv(CODECCTL, [str(CODECCTL), "dashboard"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    drawn = [0]
    reader = threading.Thread(target=_drain, args=(terminal, drawn), daemon=True)
    reader.start()
    try:
        yield drawn
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def _drain(terminal: int, drawn: list[int]) -> None:
    """Read what is drawn, as a terminal does, until it is closed."""
    while True:
        try:
            content = os.read(terminal, 1 << 16)
        except OSError:  # the program behind a terminal ended, or it was closed
            return
        drawn[0] += len(content)


if __name__ == "__main__":
    main()

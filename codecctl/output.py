"""The two streams: results on stdout, everything else on stderr; progress on a terminal or not."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

PLAIN_INTERVAL_SECONDS = 30.0


def result(text: str) -> None:
    """Write one line of result to stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def result_json(value: object) -> None:
    """Write a result for scripts to stdout, as one indented JSON document."""
    result(json.dumps(value, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Tell the user something on stderr."""
    write_error(text + "\n")


def write_error(text: str) -> None:
    """Write to stderr as it is.

    Long work must not end because nobody reads on: Ctrl-C also ends a `tee` behind it, and a
    terminal may be closed. From then on stderr leads nowhere, so that the exit code stays right.
    """
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)


class Advance(Protocol):
    """Called by long work as it goes."""

    def __call__(self, amount: float, detail: str = "") -> None:
        """Add `amount` of the unit to what is done; `detail` replaces the text at the end."""


@contextmanager
def progress(title: str, total: float, *, unit: str = "MB") -> Iterator[Advance]:
    """Show how far long work is, with rate and time left.

    On a terminal a bar; elsewhere one plain line every 30 s, so that logs of a cluster job
    stay readable. Everything goes to stderr.

    Args:
        title: What is being done.
        total: Amount of work in `unit`.
        unit: Shown after the rate.
    """
    if sys.stderr.isatty():
        with _bar(title, total, unit) as advance:
            yield advance
    else:
        yield _plain(title, total, unit)


@contextmanager
def _bar(title: str, total: float, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f} {unit}/s" if speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total or None, detail="")

        def advance(amount: float, detail: str = "") -> None:
            bar.advance(task, amount)
            if detail:
                bar.update(task, detail=detail)

        yield advance


def _plain(title: str, total: float, unit: str) -> Advance:
    started = last = time.monotonic()
    done = 0.0

    def advance(amount: float, detail: str = "") -> None:
        nonlocal done, last
        done += amount
        now = time.monotonic()
        if now - last < PLAIN_INTERVAL_SECONDS:
            return
        last = now
        rate = done / (now - started)
        left = (total - done) / rate if rate else float("inf")
        note(
            f"{title}: {done:.0f} of {total:.0f} {unit}, {rate:.1f} {unit}/s, "
            f"{left:.0f} s left {detail}".rstrip()
        )

    return advance

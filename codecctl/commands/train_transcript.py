"""Who speaks for a training, and the lines of it that train.log of its run keeps."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from codecctl.engine.rows import RowWriter
from codecctl.engine.rundir import log_line
from codecctl.errors import CodecctlError
from codecctl.output import PLAIN_INTERVAL_SECONDS, note, write_error

if TYPE_CHECKING:
    from codecctl.engine.process_group import ProcessGroup

FILE = "train.log"
LINE_CHARACTERS = 4000
"""Kept of one line."""
BYTES_AT_ONCE = 1_000_000
BYTES_PER_SECOND = 12.0
"""Taken on top of `BYTES_AT_ONCE`, a megabyte a day: a progress line every 30 s takes a third."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


class Transcript:
    """Hears stdout and stderr of the leading process and keeps their lines.

    Of a line that a library draws again and again one state every 30 s is kept, and the one that
    stays on the screen. What comes before the run folder is made waits for it. A library that
    says something at every step is cut short, with the number of lines that are left out. What
    C++ libraries write past Python is not heard.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()  # a signal may be told of within a line
        self._waiting: list[str] = []
        self._writer: RowWriter | None = None
        self._is_over = False
        self._is_aside = False
        self._allowance = float(BYTES_AT_ONCE)
        self._allowed = clock()
        self._left_out = 0

    @contextmanager
    def listening(self) -> Iterator[Transcript]:
        """Keep what is said in a block, and the error that ends it."""
        spoken = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Heard(sys.stdout, self), _Heard(sys.stderr, self)
        try:
            yield self
        except CodecctlError as error:
            self.keep(f"codecctl: {error}")
            raise
        finally:
            sys.stdout, sys.stderr = spoken
            self._close()

    def into(self, run: Path) -> None:
        """Append what was heard so far to the log of a run that this job has taken; then the rest.

        Raises:
            OSError: The log cannot be opened.
        """
        with self._lock:
            self._writer = RowWriter(run / FILE)
            for line in self._waiting:
                self._append(line)
            self._waiting.clear()

    def aside(self, text: str, say: Callable[[str], None] = note) -> None:
        """Say a line that the run, once there is one, writes down by itself: an event."""
        if self._writer is None:
            say(text)
        else:
            self.unheard(text, say)

    def unheard(self, text: str, say: Callable[[str], None] = write_error) -> None:
        """Say something that is not kept."""
        with self._lock:
            before, self._is_aside = self._is_aside, True
            try:
                say(text)
            finally:
                self._is_aside = before

    def renew(self) -> None:
        """Allow as much again, for what is said at the end."""
        with self._lock:
            self._allowance = float(BYTES_AT_ONCE)

    def hear(self, lines: Lines, text: str) -> None:
        """Take what was written to a stream."""
        with self._lock:
            if not (self._is_aside or self._is_over):
                for line in lines.take(text, self._clock()):
                    self.keep(line)

    def keep(self, line: str) -> None:
        """Append a line with the time."""
        with self._lock:
            stamped = log_line(line[:LINE_CHARACTERS])
            if not self._is_allowed(len(stamped)):
                self._left_out += 1
                return
            self._tell_left_out()
            if self._writer is None:
                self._waiting.append(stamped)
            else:
                self._append(stamped)

    def _append(self, stamped: str) -> None:
        """Write; where the disk takes no more, say so and keep nothing from then on.

        The training goes on: the files that it cannot do without are on the same disk.
        """
        if self._writer is None or self._is_over:
            return
        try:
            self._writer.append_text(stamped)
        except CodecctlError as error:
            self._is_over = True
            note(f"warning: {error}; it keeps nothing of what is said from here on")

    def _tell_left_out(self) -> None:
        if self._left_out and self._writer is not None:
            self._append(log_line(f"{self._left_out} lines left out: too many at once"))
            self._left_out = 0

    def _is_allowed(self, size: int) -> bool:
        now = self._clock()
        earned = BYTES_PER_SECOND * (now - self._allowed)
        self._allowance, self._allowed = min(BYTES_AT_ONCE, self._allowance + earned), now
        if size > self._allowance:
            return False
        self._allowance -= size
        return True

    def _close(self) -> None:
        with self._lock:
            self._tell_left_out()
            self._is_over = True
            if self._writer is not None:
                self._writer.close()


@contextmanager
def one_voice(group: ProcessGroup) -> Iterator[None]:
    """Let the leading process alone speak; of an error, the first process of each node."""
    spoken = sys.stdout, sys.stderr
    if group.rank:
        sys.stdout = sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    try:
        yield
    except BaseException:
        # Where the leading node is gone, nobody else is left to say why the others end.
        if not group.local_rank:
            sys.stdout, sys.stderr = spoken
        raise


class Lines:
    """Takes text as it is written to one stream, and gives the lines worth keeping."""

    def __init__(self) -> None:
        self._open = ""
        """The last two states of the line that has not ended."""
        self._kept = ""
        """State of that line that was given."""
        self._kept_at = -PLAIN_INTERVAL_SECONDS

    def take(self, text: str, now: float) -> list[str]:
        """Lines that ended with this text, and a state of the open one if it is drawn again.

        Args:
            text: In pieces of any length.
            now: Seconds.
        """
        *ended, self._open = (self._open + text).split("\n")
        given = []
        for line in ended:
            state = _visible(line)
            if state and state != self._kept:
                given.append(state)
            self._kept = ""
        states = [state[:LINE_CHARACTERS] for state in self._open.split("\r")]
        self._open = "\r".join(states[-2:])  # some redraw with the return behind, not before
        state = _visible(self._open)
        if len(states) > 1 and state and now - self._kept_at >= PLAIN_INTERVAL_SECONDS:
            self._kept, self._kept_at = state, now
            given.append(state)
        return given


def _visible(line: str) -> str:
    """What a terminal shows of a line: its last state, without colors."""
    states = [_CONTROL.sub("", state).rstrip() for state in line.split("\r")]
    return next((state for state in reversed(states) if state), "")


class _Heard(io.TextIOBase):
    """A stream that passes everything on; stays of use when nobody listens any more."""

    def __init__(self, stream: TextIO, transcript: Transcript) -> None:
        self._stream = stream
        self._transcript = transcript
        self._lines = Lines()

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        finally:  # a terminal may be closed
            self._transcript.hear(self._lines, text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: the stream is not ours."""

    @property
    def buffer(self) -> BinaryIO:
        return self._stream.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute there
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # a plain attribute there
        return self._stream.errors

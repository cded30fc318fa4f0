"""Long files are parsed in a process beside the dashboard: decoding numbers would hold up keys.

Messages both ways are a length of eight bytes and a pickle: lines with the number of the first
one, answered by blocks. The process has lower priority than the training that is watched, and
ends with the dashboard, however that ends: its standard input does.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from codecctl.dashboard.columns import Block, parse_lines

_SHORT_BYTES = 1 << 16
"""Less is parsed at once, and no process started for it."""
_NICENESS = 5
_COMMAND = "from codecctl.dashboard.parsing import serve; serve()"
_LENGTH = struct.Struct("<Q")


class Parser:
    """Parses lines as `parse_lines` does; for one thread at a time.

    While its process starts, and where it cannot, lines are parsed here.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._is_over = False

    def parse(self, lines: Sequence[bytes], first: int = 0) -> list[Block]:
        """The rows of lines.

        Args:
            lines: Without their newlines.
            first: The number of the first line.
        """
        if sum(map(len, lines)) >= _SHORT_BYTES:
            try:
                blocks = self._parsed_beside(lines, first)
            except (OSError, EOFError):  # killed, or no process to be had: from now on here
                self.close()
            else:
                if blocks is not None:
                    return blocks
        return parse_lines(lines, first)

    def close(self) -> None:
        """End the process; lines are parsed here from now on."""
        self._is_over = True
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was not sent yet has no reader
                        pipe.close()

    def _parsed_beside(self, lines: Sequence[bytes], first: int) -> list[Block] | None:
        if self._process is None and not self._is_over:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,  # no module of the working directory in place of another
            )
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        if not self._is_ready:
            if not select.select([process.stdout], [], [], 0)[0]:
                return None
            _receive(process.stdout)
            self._is_ready = True
        _send(process.stdin, (lines, first))
        blocks: list[Block] = pickle.loads(_receive(process.stdout))
        return blocks


def serve() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the dashboard
    os.nice(_NICENESS)
    _send(sys.stdout.buffer, "ready")
    with suppress(EOFError):
        while True:
            lines, first = pickle.loads(_receive(sys.stdin.buffer))
            _send(sys.stdout.buffer, parse_lines(lines, first))


def _send(pipe: IO[bytes], message: object) -> None:
    content = pickle.dumps(message, protocol=5)
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """The next message, pickled.

    Raises:
        EOFError: The other side has ended.
    """
    length = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0]
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        raise EOFError
    return content

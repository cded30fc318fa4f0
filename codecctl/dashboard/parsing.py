"""Long files are parsed in a process beside the dashboard: decoding numbers would hold up keys.

Messages both ways are a length of eight bytes and that many more: the number of the first line and
the lines, answered by what blocks consist of, as JSON, and their numbers as they stand in memory.
The process has lower priority than the training that is watched, and
ends with the dashboard, however that ends: its standard input does.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

import numpy as np

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
        _send(process.stdin, _LENGTH.pack(first) + b"\n".join(lines))
        return _blocks_of(_receive(process.stdout))


def serve() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the dashboard
    os.nice(_NICENESS)
    _send(sys.stdout.buffer, b"ready")
    with suppress(EOFError):
        while True:
            asked = _receive(sys.stdin.buffer)
            first = _LENGTH.unpack_from(asked)[0]
            lines = asked[_LENGTH.size :].split(b"\n")
            _send(sys.stdout.buffer, _bytes_of(parse_lines(lines, first)))


def _bytes_of(blocks: Sequence[Block]) -> bytes:
    head = [(len(block.lines), block.words, block.names) for block in blocks]
    arrays = [array for block in blocks for array in (block.lines, block.numbers)]
    text = json.dumps(head).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *(array.tobytes() for array in arrays)])


def _blocks_of(content: bytes) -> list[Block]:
    """The inverse of `_bytes_of`."""
    at = _LENGTH.size + _LENGTH.unpack_from(content)[0]
    blocks = []
    for rows, words, names in json.loads(content[_LENGTH.size : at]):
        lines = np.frombuffer(content, np.intp, rows, at)
        at += lines.nbytes
        numbers = np.frombuffer(content, np.float64, rows * len(names), at)
        at += numbers.nbytes
        blocks.append(Block(lines, words, tuple(names), numbers.reshape(rows, len(names))))
    return blocks


def _send(pipe: IO[bytes], content: bytes) -> None:
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """The next message.

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

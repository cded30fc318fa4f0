"""Where a command starts.

The commands are imported inside `main`, so that Ctrl-C during the imports is a line, too.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from codecctl.ending import INTERRUPTED, errors_as_lines
from codecctl.output import note

_IMPORT = "<frozen importlib._bootstrap>"
"""In the stack while a module is imported."""


def main() -> None:
    """Run a command; an error the user can act on is one line on stderr and its exit code."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by the caller (`>&-`)
            setattr(sys, stream, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    with errors_as_lines():
        from codecctl.app import app

        try:
            app()
        except SystemExit as ended:
            if ended.code == INTERRUPTED:  # typer makes this of Ctrl-C and says nothing
                note("codecctl: interrupted")
            raise


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Handle Ctrl-C: at once during an import, where C++ extensions abort on an exception."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            note("codecctl: interrupted")
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt

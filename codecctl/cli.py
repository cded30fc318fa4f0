"""Where a command starts: one place where an error becomes a line and an exit code.

The commands are imported inside `main`, so that Ctrl-C during the imports is a line, too.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from codecctl.errors import CodecctlError, InterruptedByUserError
from codecctl.output import note

_INTERRUPTED = InterruptedByUserError.exit_code
_IMPORT = "<frozen importlib._bootstrap>"
"""In the stack while a module is imported."""


def main() -> None:
    """Run a command; an error the user can act on is one line on stderr and its exit code."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by the caller (`>&-`)
            setattr(sys, stream, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        from codecctl.app import app

        app()
    except BrokenPipeError:
        # The reader of a pipe left (`| head`); flushing at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except CodecctlError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(_reason(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted", _INTERRUPTED)
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:  # typer makes this of Ctrl-C and says nothing
            note("codecctl: interrupted")
        raise


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Handle Ctrl-C: at once during an import, where C++ extensions abort on an exception."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            note("codecctl: interrupted")
            os._exit(_INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


def _reason(error: OSError) -> str:
    """What the system refused, without the number that `str` puts in front."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _fail(message: str, exit_code: int) -> None:
    if "--debug" in sys.argv:
        raise  # Called from an except block: shows the traceback of what happened.
    note(f"codecctl: {message}")
    sys.exit(exit_code)

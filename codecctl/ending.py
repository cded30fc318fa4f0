"""How a command ends: the one place where an error becomes a line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from codecctl.errors import CodecctlError, InterruptedByUserError
from codecctl.output import note

INTERRUPTED = InterruptedByUserError.exit_code


@contextmanager
def errors_as_lines() -> Iterator[None]:
    """Run a command; an error that the user can act on is one line and its exit code.

    Raises:
        SystemExit: With that code.
    """
    try:
        yield
    except BrokenPipeError:
        # The reader of a pipe left (`| head`); flushing at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except CodecctlError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(_reason(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """End this process after the block, with the exit code of the command, without Python's end.

    For what leaves threads of C++ behind: one that asks for the interpreter while that ends is
    unwound and aborts the process (SIGABRT), in place of the exit code.
    """
    code: object = 0
    try:
        with errors_as_lines():
            yield
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # a defect: shown as Python would
        sys.excepthook(*sys.exc_info())
        code = 1
    if isinstance(code, str):
        note(code)
    _leave(code if isinstance(code, int) else int(code is not None))


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads any more; the code is all that is left to say
            stream.flush()
    os._exit(code)


def _reason(error: OSError) -> str:
    """What the system refused, without the number that `str` puts in front."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _fail(message: str, exit_code: int) -> None:
    if "--debug" in sys.argv:
        raise  # Called from an except block: shows the traceback of what happened.
    note(f"codecctl: {message}")
    sys.exit(exit_code)

"""Processes that this one starts and passes signals on to."""

from __future__ import annotations

import ctypes
import signal
import subprocess
from collections.abc import Callable, Sequence
from types import FrameType

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_STDERR = 2


def die_with_parent() -> Callable[[], None]:
    """What a new process calls, so that it saves and stops when this one is killed."""
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork, after which little is safe
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process at a time, in a session of its own: Ctrl-C reaches it through here, once.

    Attributes:
        asked: The last signal that was passed on; 0: none.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str]) -> int:
        """Run a command to its end, with its results on stderr, where they are not this one's.

        Returns:
            The exit code, negative where a signal ended it.
        """
        before = {
            number: signal.signal(number, self._forward)
            for number in FORWARDED
            # As in `engine.signals`: `nohup` alone is respected.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            self._process = subprocess.Popen(
                command,
                stdout=_STDERR,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
            return self._process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self.asked = number
        if self._process is not None:
            self._process.send_signal(number)

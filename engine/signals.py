"""Signals become flags that the loop reads between two steps; nothing is saved in a handler."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

INTERRUPTED = "interrupted"
PREEMPTED = "preempted"


class StopSignals:
    """While entered: Ctrl-C asks to save and stop, SIGTERM and SIGUSR1 the same for a scheduler.

    So does SIGHUP, the end of the terminal or of the connection, unless `nohup` ignores it. The
    second Ctrl-C raises `KeyboardInterrupt` at once. Handlers are put back on leaving.

    Attributes:
        asked: "" or what was asked for first, `INTERRUPTED` or `PREEMPTED`.
    """

    def __init__(self) -> None:
        self.asked = ""
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> StopSignals:
        for number, handler in (
            (signal.SIGINT, self._interrupt),
            (signal.SIGTERM, self._preempt),
            (signal.SIGUSR1, self._preempt),
            (signal.SIGHUP, self._preempt),
        ):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked == INTERRUPTED:
            raise KeyboardInterrupt
        self.asked = INTERRUPTED

    def _preempt(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = self.asked or PREEMPTED

"""One of several processes that train a run, but for the one that leads: see `engine.session`."""

from __future__ import annotations

from pathlib import Path

from codecctl.engine.assemble import parts_of
from codecctl.engine.crash import describe_crash
from codecctl.engine.loop import Loop
from codecctl.engine.no_books import NoBooks
from codecctl.engine.prepare import Prepared
from codecctl.engine.signals import StopSignals


def follow(prepared: Prepared) -> str:
    """Train along with the leading process, which writes everything down.

    Returns:
        How it ended, as `Loop.run` does.

    Raises:
        CodecctlError: The training failed, here or in another process.
    """
    signals = StopSignals()
    with signals:
        checkpoint: Path | None = prepared.crew.share(None)
        parts = parts_of(prepared, signals=signals, warn=lambda _text: None)
        loop = Loop(parts, NoBooks(), checkpoint=checkpoint)
        try:
            return loop.run()
        except BaseException as error:
            # The leading process writes it down; it has other windows in work.
            text = describe_crash(error, step=loop.progress.step, batch=loop.batch)
            prepared.crew.tell(error, text)
            raise

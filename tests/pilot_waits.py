"""What a pilot of Textual waits for after a key: that the application has nothing left to do.

Textual itself sleeps 20 ms and then again until the process computes next to nothing. That is
seconds for a walk over pages, and too short where another process has the processor; an event
loop that has nothing to call and no timer about to end is what is meant by either.
"""

from __future__ import annotations

import asyncio
import time
from asyncio.base_events import BaseEventLoop

from textual._context import active_app
from textual._wait import wait_for_idle as wait_as_textual_does
from textual.pilot import Pilot

wait_as_pilots_do = Pilot._wait_for_screen

SOON_SECONDS = 0.03
"""A timer that ends within them belongs to what was asked for: screens are drawn 60 times a s."""
TURNS = 3
"""Of the loop in which nothing was left, so that messages from threads are in, too."""
LIMIT_SECONDS = 30.0
"""For what is to be called, after which a test goes on and sees a screen that is not ready."""


async def wait_until_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until the running loop has nothing to do.

    Args:
        min_sleep: Seconds; not waited for where there is nothing to wait for.
        max_sleep: Seconds after which timers that start again and again are not waited for.
    """
    app = active_app.get(None)
    if app is not None and any(worker.is_running for worker in app.workers):
        await wait_as_textual_does(min_sleep, max_sleep)  # a thread is not seen in the loop
    loop = asyncio.get_running_loop()
    assert isinstance(loop, BaseEventLoop)
    begun, quiet = time.monotonic(), 0
    while quiet < TURNS and time.monotonic() < begun + LIMIT_SECONDS:
        await asyncio.sleep(0)
        if _has_calls(loop):
            quiet = 0
        elif _next_timer(loop) < SOON_SECONDS and time.monotonic() < begun + max_sleep:
            quiet = 0
            await asyncio.sleep(0.001)
        else:
            quiet += 1


def _has_calls(loop: BaseEventLoop) -> bool:
    """Whether there is something to be called in the next turn."""
    return bool(loop._ready)  # type: ignore[attr-defined]  # it has no public name


def _next_timer(loop: BaseEventLoop) -> float:
    """Seconds until the next timer ends."""
    timers: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]  # nor have they
    return min((t.when() for t in timers if not t.cancelled()), default=float("inf")) - loop.time()


async def wait_for_pages(pilot: Pilot[object], timeout: float = LIMIT_SECONDS) -> bool:
    """Wait until every widget has done what it was sent, which an idle loop shows.

    Textual sends each widget of the page a call for it, several times for a key: more than half
    of what a test of keys computed.

    Args:
        pilot: Of the application.
        timeout: Seconds, for widgets that wait for something outside the loop meanwhile.

    Returns:
        False where the application has ended with an error.
    """
    await wait_until_idle()
    app = pilot.app
    if app._exception_event.is_set():
        return False
    screens = app.screen_stack[-1:]
    nodes = [app, *(node for each in screens for node in each.walk_children(with_self=True))]
    if any(node.message_queue_size for node in nodes):  # behind one that still waits
        return await wait_as_pilots_do(pilot, timeout)
    return True

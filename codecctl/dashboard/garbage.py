"""How often Python searches for garbage while pages are drawn."""

from __future__ import annotations

import gc

NEW_OBJECTS = 5_000
"""That are left over before a search, Python's 700: one drawing of a page makes more than that."""


def search_for_garbage_seldom() -> None:
    """Search a seventh as often, and never what is there now; for the whole process.

    A page is thousands of small objects. Python's own pace looks at all there are, modules too,
    every second of drawing, 0.2 s each time: a quarter of what walking over pages computes, and
    a key waits meanwhile. It costs some 10 MB.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)

"""Commands of the palette: open a run, show a metric, count another axis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from heapq import nsmallest
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape
from textual.screen import Screen
from textual.style import Style
from textual.types import IgnoreReturnCallbackType
from textual.widgets import Input

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.matching import Match, match_letters, match_words
from codecctl.dashboard.run_filter import metric_names
from codecctl.dashboard.screen_export import PICTURES
from codecctl.dashboard.smoothing import LEVELS
from codecctl.dashboard.store_screen import StoreScreen

if TYPE_CHECKING:
    from codecctl.dashboard.app import DashboardApp

_Choice = tuple[str, str, IgnoreReturnCallbackType]
"""Name, explanation, what it does."""
_MAX_HITS = 32
"""A run may have thousands of metrics, and a first letter finds them all."""
_NAMES_AT_ONCE = 1000


@dataclass(frozen=True)
class Entry:
    """Something that can be chosen."""

    name: str
    help: str
    """One line that explains it."""
    callback: IgnoreReturnCallbackType
    lower: str
    """The name as it is searched."""


class DashboardCommands(Provider):
    """What the palette offers besides the commands of every application.

    The list is made when the palette is opened: with 200 runs of 2000 metrics it has 4600 entries,
    and each letter is looked for in all of them.
    """

    def __init__(self, screen: Screen[Any], match_style: Style | None = None) -> None:
        super().__init__(screen, match_style)
        self._list: list[Entry] = []
        self._late: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Make the list; profiles join it a moment later."""
        for number, choice in enumerate(
            chain(self._commands(), self._metrics(), self._runs(), self._sortings())
        ):
            self._list.append(_entry(*choice))
            if number % _NAMES_AT_ONCE == 0:
                await asyncio.sleep(0)  # keys are typed meanwhile
        self._late = asyncio.create_task(self._add_profiles())

    async def shutdown(self) -> None:
        """Wait for nothing any more."""
        if self._late is not None:
            self._late.cancel()

    async def _add_profiles(self) -> None:
        """Add them, and search again; for the first time that takes half a second of imports."""
        found = await asyncio.to_thread(lambda: list(self._profiles()))
        self._list += [_entry(*choice) for choice in found]
        palette = self.app.screen
        if isinstance(palette, CommandPalette) and (lines := palette.query(Input)):
            line = lines.first()
            if line.value:
                line.post_message(Input.Changed(line, line.value))

    async def discover(self) -> Hits:
        """What is shown before anything is typed: as much as one might read."""
        for entry in self._list[:_MAX_HITS]:
            yield DiscoveryHit(_plain(entry.name), entry.callback, entry.name, entry.help)

    async def search(self, query: str) -> Hits:
        """Entries that match what is typed; by letters only where words find little."""
        found = await self._found(query.lower(), match_words)
        if len(found) < _MAX_HITS:
            known = {number for _, number in found}
            others = await self._found(query.lower(), match_letters)
            found += [(match, number) for match, number in others if number not in known]
        style = self.match_style or Style(reverse=True)
        best = nsmallest(_MAX_HITS, found, key=lambda each: (-each[0].score, each[1]))
        for match, number in best:
            entry = self._list[number]
            shown = _plain(entry.name)
            for first, end in match.ranges:
                shown = shown.stylize(style, first, end)
            yield Hit(match.score, shown, entry.callback, entry.name, entry.help)

    async def _found(
        self, query: str, match: Callable[[str, str], Match | None]
    ) -> list[tuple[Match, int]]:
        """What matches, and its number."""
        found = []
        for number, entry in enumerate(self._list):
            if (place := match(query, entry.lower)) is not None:
                found.append((place, number))
            if number % _NAMES_AT_ONCE == 0:
                await asyncio.sleep(0)
        return found

    def _profiles(self) -> Iterator[_Choice]:
        """Profiles that a run can be made of; on the page of a store, with that store."""
        from codecctl.engine.profile.listing import inline, list_profiles
        from codecctl.engine.rerun import basis_of_profile

        app = cast("DashboardApp", self.app)
        edits: tuple[str, ...] = ()
        if isinstance(self.screen, StoreScreen):
            edits = (f"data.store={inline(str(self.screen.path.absolute()))}",)
        for entry in () if app.start_refusal() else list_profiles():
            callback = partial(
                app.open_draft,
                partial(basis_of_profile, entry.name),
                origin=f"profile {entry.name}",
                name=entry.name,
                edits=edits,
            )
            yield f"New run of profile {entry.name}", entry.description or entry.problem, callback

    def _commands(self) -> Iterator[_Choice]:
        """What acts on the whole page."""
        app = cast("DashboardApp", self.app)
        yield "Open data", "the list of stores", app.open_stores
        if app.may_steer:
            for kind in PICTURES:
                yield (
                    f"Screen as {kind.upper()}",
                    "a picture of this page in the working directory",
                    partial(app.export_screen, kind),
                )
        grid = app.grid_of(self.screen)
        if grid is None:
            return
        for axis in XAxis:
            yield f"X axis {axis.value}", "count this along x", partial(grid.set_axis, axis)
        for level in LEVELS:
            yield (
                f"Smoothing {level:g}",
                "weight of the moving average",
                partial(grid.set_smoothing, level),
            )

    def _runs(self) -> Iterator[_Choice]:
        app = cast("DashboardApp", self.app)
        for run in app.snapshot.runs:
            yield f"Open run {run.name}", run.summary.status, partial(app.open_run, run.name)
        for run in app.snapshot.runs:
            yield (
                f"Draw or hide run {run.name}",
                "in the charts of the list",
                partial(app.toggle_run, run.name),
            )
            yield (
                f"Open store of run {run.name}",
                "its recordings, levels and problems",
                partial(app.open_store_of, run),
            )

    def _metrics(self) -> Iterator[_Choice]:
        grid = cast("DashboardApp", self.app).grid_of(self.screen)
        if grid is None:
            return
        for metric in grid.metrics():
            yield f"Metric {metric}", "draw only this one", partial(grid.show_alone, metric)

    def _sortings(self) -> Iterator[_Choice]:
        for metric in metric_names(cast("DashboardApp", self.app).snapshot.runs):
            yield f"Sort runs by {metric}", "the best first", partial(self._sort, metric)

    def _sort(self, metric: str) -> None:
        app = cast("DashboardApp", self.app)
        app.choose(replace(app.choice, sort_by=metric))


def _entry(name: str, text: str, callback: IgnoreReturnCallbackType) -> Entry:
    return Entry(name, escape(text), callback, name.lower())


def _plain(name: str) -> Content:
    """A name as it is: brackets in it are no markup."""
    return Content(name)

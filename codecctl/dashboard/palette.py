"""Commands of the palette: open a run, show a metric, count another axis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from heapq import nlargest
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.run_filter import metric_names
from codecctl.dashboard.screen_export import PICTURES
from codecctl.dashboard.smoothing import LEVELS
from codecctl.dashboard.store_screen import StoreScreen

if TYPE_CHECKING:
    from codecctl.dashboard.app import DashboardApp

Entry = tuple[str, str, IgnoreReturnCallbackType]

_MAX_HITS = 64
"""A run may have thousands of metrics, and a first letter finds them all."""
_NAMES_AT_ONCE = 100


class DashboardCommands(Provider):
    """What the palette offers besides the commands of every application."""

    async def discover(self) -> Hits:
        """What is shown before anything is typed."""
        for name, text, callback in self._entries():
            yield DiscoveryHit(name, callback, help=text)

    async def search(self, query: str) -> Hits:
        """Entries that match what is typed."""
        matcher = self.matcher(query)
        found: list[tuple[float, int, Entry]] = []
        for number, entry in enumerate(chain(self._entries(), self._profiles())):
            score = matcher.match(entry[0])
            if score > 0:
                found.append((score, -number, entry))
            if number % _NAMES_AT_ONCE == 0:
                await asyncio.sleep(0)  # keys are typed meanwhile
        for score, _, (name, text, callback) in nlargest(_MAX_HITS, found, key=itemgetter(0, 1)):
            yield Hit(score, matcher.highlight(name), callback, help=text)

    def _profiles(self) -> Iterator[Entry]:
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

    def _entries(self) -> Iterator[Entry]:
        app = cast("DashboardApp", self.app)
        for run in app.snapshot.runs:
            yield f"Open run {run.name}", run.summary.status, partial(app.open_run, run.name)
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
        yield "Open data", "the list of stores", app.open_stores
        if app.may_steer:
            for kind in PICTURES:
                yield (
                    f"Screen as {kind.upper()}",
                    "a picture of this page in the working directory",
                    partial(app.export_screen, kind),
                )
        for metric in metric_names(app.snapshot.runs):
            choice = replace(app.choice, sort_by=metric)
            yield f"Sort runs by {metric}", "the best first", partial(app.choose, choice)
        grid = app.grid_of(self.screen)
        if grid is None:
            return
        for metric in grid.metrics():
            yield f"Metric {metric}", "draw only this one", partial(grid.show_alone, metric)
        for axis in XAxis:
            yield f"X axis {axis.value}", "count this along x", partial(grid.set_axis, axis)
        for level in LEVELS:
            yield (
                f"Smoothing {level:g}",
                "weight of the moving average",
                partial(grid.set_smoothing, level),
            )

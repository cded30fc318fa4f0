"""Charts that wait to be drawn: few at once, many in slices between which keys get through."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence

from textual.widget import Widget

from codecctl.dashboard.chart import LineChart
from codecctl.dashboard.curves import Source, curves_of
from codecctl.dashboard.plot import View
from codecctl.dashboard.slices import REST_SECONDS, work_on
from codecctl.dashboard.wording import HINTS

MAX_RUNS_AT_ONCE = 8
MAX_ROWS_AT_ONCE = 50_000
"""More are drawn in slices, so that a key never waits for a page, nor for a chart."""
SHOW_SECONDS = 0.1
"""Charts that are drawn by then are shown; earlier when all are, or when the page is still empty:
each showing paints the screen."""


class ChartQueue:
    """Hands charts their curves.

    Args:
        clock: The widget whose timer is used.
    """

    def __init__(self, clock: Widget) -> None:
        self._clock = clock
        self._waiting: list[tuple[LineChart, str]] = []
        self._work: Iterator[None] | None = None
        self._drawn: list[Callable[[], None]] = []
        self._next_show = 0.0
        self._sources: Sequence[Source] = ()
        self._view = View()
        self._log_metrics: Collection[str] = ()

    def draw(
        self,
        charts: Sequence[tuple[LineChart, str]],
        sources: Sequence[Source],
        *,
        view: View,
        log_metrics: Collection[str],
    ) -> None:
        """Draw these in place of what waits; charts that waited before come first.

        Args:
            charts: Each with its metric.
            sources: The runs.
            view: How all charts are looked at.
            log_metrics: Those with a logarithmic axis.
        """
        waited = [chart for chart, _ in self._waiting]
        self._waiting = sorted(charts, key=lambda pair: pair[0] not in waited)
        self._sources, self._view, self._log_metrics = sources, view, log_metrics
        num_rows = sum(source.train.num_rows for source in sources)
        if len(sources) <= MAX_RUNS_AT_ONCE and num_rows <= MAX_ROWS_AT_ONCE:
            self._work = None
            self._drawn.clear()
            for _ in self._drawing():
                pass
        elif self._work is None:
            self._work = self._drawing()
            if any(chart.curves for chart, _ in charts):
                self._next_show = time.monotonic() + SHOW_SECONDS
            self._clock.call_later(self._draw_more)

    def _draw_more(self) -> None:
        """Draw a little of what waits, then let keys through."""
        if self._work is not None and work_on(self._work):
            self._clock.set_timer(REST_SECONDS, self._draw_more)
        else:
            self._work = None

    def _drawing(self) -> Iterator[None]:
        """Everything that waits, and what comes to wait meanwhile, in steps."""
        while self._waiting:
            chart, name = self._waiting.pop(0)
            sources, view = self._sources, self._view
            if not chart.display:
                chart.display = True
            if chart.metric != name:
                chart.tooltip = HINTS.get(name)
            for source in sources:
                yield from source.preparing(name, view)
            curves, log_scale = curves_of(name, sources, view), name in self._log_metrics
            show = yield from chart.showing(name, curves, view=view, log_scale=log_scale)
            self._drawn.append(show)
            if not self._waiting or time.monotonic() >= self._next_show:
                self._show_drawn()

    def _show_drawn(self) -> None:
        for show in self._drawn:
            show()
        self._drawn.clear()
        self._next_show = time.monotonic() + SHOW_SECONDS

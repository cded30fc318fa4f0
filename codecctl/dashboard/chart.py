"""A line chart that is drawn row by row, with a crosshair."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from codecctl.dashboard.canvas import Canvas, Ink
from codecctl.dashboard.colors import inks
from codecctl.dashboard.plot import Curve, View, draw, drawing, visible_window


class LineChart(Widget, can_focus=True):
    """Curves of one metric; knows values, no file.

    It is drawn when it is shown, not when its values change: a chart out of sight costs nothing.
    """

    HELP = """
    ## A chart

    The bright line is the average, the dim one behind it the raw values; every dot column spans the
    lowest to the highest value in it. `×` marks values that are not finite.

    The arrows move a crosshair through all charts, `+` and `-` zoom around it, `,` and `.` pan, `0`
    shows everything again. `f` gives one chart the page, `[` and `]` turn pages, `/` chooses
    metrics.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"move({by})", label, show=False, id=f"chart.{name}", tooltip=tooltip)
        for key, by, label, name, tooltip in (
            ("left", -1, "Crosshair left", "left", "By a column"),
            ("right", 1, "Crosshair right", "right", "By a column"),
            ("shift+left", -10, "Crosshair far left", "far_left", "By ten columns"),
            ("shift+right", 10, "Crosshair far right", "far_right", "By ten columns"),
        )
    ]

    class CursorMoved(Message):
        """The crosshair was put somewhere.

        Args:
            x: Where, in units of the axis; None when it was taken away.
        """

        def __init__(self, x: float | None) -> None:
            super().__init__()
            self.x = x

    class Zoomed(Message):
        """The wheel was turned over a chart.

        Args:
            factor: Below 1 shows less.
            x: What stays in place.
        """

        def __init__(self, factor: float, x: float) -> None:
            super().__init__()
            self.factor = factor
            self.x = x

    def __init__(self) -> None:
        super().__init__()
        self.metric = ""
        self.curves: tuple[Curve, ...] = ()
        self.view = View()
        self.log_scale = False
        self._canvas: Canvas | None = None
        self._strips: list[Strip] = []
        self._styles: list[Style] = []

    def show(
        self, metric: str, curves: Sequence[Curve], *, view: View, log_scale: bool = False
    ) -> None:
        """Exchange what is drawn."""
        self.metric, self.curves = metric, tuple(curves)
        self.view, self.log_scale = view, log_scale
        self._redraw()

    def showing(
        self, metric: str, curves: Sequence[Curve], *, view: View, log_scale: bool = False
    ) -> Generator[None, None, Callable[[], None]]:
        """The same in steps, the last of which is left to the caller: what shows it.

        Until then what was shown before stays, and afterwards each row that is still the same.
        """
        width, height = self.content_size
        canvas = yield from drawing(
            metric, curves, view=view, width=width, height=height, log=log_scale
        )

        def show() -> None:
            if self.content_size == (width, height):
                self.metric, self.curves = metric, tuple(curves)
                self.view, self.log_scale = view, log_scale
                self._exchange(canvas)
            else:
                self.show(metric, curves, view=view, log_scale=log_scale)

        return show

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows; all of them are asked for whenever anything near the chart changes.

        A chart has neither border nor padding, so its rows are kept as they are shown.
        """
        if not self._strips:
            canvas = self._drawn()
            self._strips = self._draw_strips(canvas, range(canvas.height))
        strips = self._strips[crop.y : crop.bottom]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def plain_text(self) -> str:
        """What is drawn, without styles."""
        return "\n".join(self._drawn().rows())

    def notify_style_update(self) -> None:
        """Forget what was drawn in the styles of another theme."""
        super().notify_style_update()
        self._restyle()

    def on_focus(self) -> None:
        """Mark the chart that has the keys."""
        self._restyle()

    def on_blur(self) -> None:
        """Take the mark away."""
        self._restyle()

    def on_resize(self, _event: events.Resize) -> None:
        """Draw again for the new size."""
        self._redraw()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The crosshair follows the mouse."""
        self.post_message(self.CursorMoved(self._x_at(event.get_content_offset_capture(self).x)))

    def on_leave(self, _event: events.Leave) -> None:
        """No mouse, no crosshair."""
        if not self.has_focus:
            self.post_message(self.CursorMoved(None))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in at the mouse."""
        self._zoom(event, 0.8)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out at the mouse."""
        self._zoom(event, 1.25)

    def action_move(self, columns: int) -> None:
        """Move the crosshair by columns; it starts at the right end."""
        window = visible_window(self.curves, self.view, log=self.log_scale)
        if window is None:
            return
        low, high = self.view.window or self.view.extent or (window.x_low, window.x_high)
        start = high if self.view.cursor is None else self.view.cursor
        moved = start + columns * (high - low) / max(1, self.size.width)
        self.post_message(self.CursorMoved(min(high, max(low, moved))))

    def _zoom(self, event: events.MouseEvent, factor: float) -> None:
        x = self._x_at(event.get_content_offset_capture(self).x)
        if x is not None:
            event.stop()
            self.post_message(self.Zoomed(factor, x))

    def _x_at(self, column: int) -> float | None:
        """What a column of the widget stands for; None outside of the curves."""
        canvas = self._drawn()
        window = visible_window(self.curves, self.view, log=self.log_scale)
        width = canvas.width - canvas.left
        if window is None or width < 1 or not canvas.left <= column < canvas.width:
            return None
        share = (column - canvas.left + 0.5) / width
        return window.x_low + share * (window.x_high - window.x_low)

    def _redraw(self) -> None:
        self._canvas = None
        self._restyle()

    def _restyle(self) -> None:
        self._strips = []
        self._styles = []
        self.refresh()

    def _drawn(self) -> Canvas:
        size = self.content_size or Size(0, 0)
        if self._canvas is None or (self._canvas.width, self._canvas.height) != size:
            self._canvas = draw(
                self.metric,
                self.curves,
                view=self.view,
                width=size.width,
                height=size.height,
                log=self.log_scale,
            )
        return self._canvas

    def _exchange(self, canvas: Canvas) -> None:
        """Show another canvas; rows that are alike are neither made nor painted again."""
        old, self._canvas = self._canvas, canvas
        if old is None or not self._strips or len(self._strips) != canvas.height:
            self._restyle()
            return
        rows = old.unlike_rows(canvas)
        for row, strip in zip(rows, self._draw_strips(canvas, rows), strict=True):
            self._strips[row] = strip
        if rows:
            self.refresh(*(Region(0, row, canvas.width, 1) for row in rows))

    def _draw_strips(self, canvas: Canvas, rows: Iterable[int]) -> list[Strip]:
        """Many rows at once: styles are looked up once for a chart, not for each piece."""
        if not self._styles:
            self._styles = self._look_up_styles()
        styles = self._styles
        strips = [
            Strip([Segment(text, styles[ink]) for text, ink in canvas.pieces(row)], canvas.width)
            for row in rows
        ]
        _, background = self.background_colors
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips

    def _look_up_styles(self) -> list[Style]:
        theme = self.app.current_theme
        book = inks(ansi=self.app.native_ansi_color, dark=theme.dark)
        background = self.rich_style
        styles = [background + style for style in book.styles]
        if self.has_focus:
            styles[Ink.TITLE] += Style(underline=True)
        return styles

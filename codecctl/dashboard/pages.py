"""What the pages of the dashboard ask of the application that they are part of."""

from __future__ import annotations

from textual.app import App

from codecctl.dashboard.views import RunView


class Pages(App[None]):
    """The parts that open pages share these; the application has them."""

    def selected_run(self) -> RunView | None:
        """The run that keys act on."""
        raise NotImplementedError

    def open_run(self, name: str, *, previews_of: int | None = None) -> None:
        """Open the page of a run."""
        raise NotImplementedError

    def poll(self) -> None:
        """Read what is new."""
        raise NotImplementedError

    def _page_closed(self, _result: None) -> None:
        """A page that lay above another one was closed."""
        raise NotImplementedError

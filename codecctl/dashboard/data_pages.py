"""How one comes from runs to stores and back."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from codecctl.dashboard.origin import store_of_run
from codecctl.dashboard.pages import Pages
from codecctl.dashboard.previews import Previews
from codecctl.dashboard.store_screen import StoreScreen
from codecctl.dashboard.stores_screen import StoresScreen
from codecctl.dashboard.views import RunView
from codecctl.dashboard.window_pane import WindowPane


class DataPages(Pages):
    """The part of the application that opens stores.

    Attributes:
        stores: The folder of stores; may not exist yet.
        folder: The folder of runs.
    """

    stores: Path
    folder: Path

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "data", "Data", show=False, id="app.data", tooltip="Stores, or that of a run"),
    ]

    def action_data(self) -> None:
        """Open the list of stores or, on the page of a run, the store that it was started on."""
        from codecctl.dashboard.run_screen import RunScreen

        run = self.selected_run()
        if isinstance(self.screen, RunScreen) and run is not None:
            self.open_store_of(run)
        elif not isinstance(self.screen, (StoresScreen, StoreScreen)):
            self.open_stores()

    def open_stores(self) -> None:
        """Open the list of stores."""
        self.push_screen(StoresScreen(self.stores, self.folder), self._page_closed)

    def open_store(
        self, path: Path, *, recording: str = "", at: float = 0.0, channel: int = 0
    ) -> None:
        """Open the page of a store, at a second of a recording."""
        page = StoreScreen(path, self.folder, recording=recording, at=at, channel=channel)
        self.push_screen(page, self._page_closed)

    def open_store_of(
        self, run: RunView, *, recording: str = "", at: float = 0.0, channel: int = 0
    ) -> None:
        """Open the store that a run was started on, or one of the same name where that is gone."""
        said = store_of_run(run.summary.path)
        if said is None:
            self.notify(f"{run.name} does not say which store it read", severity="warning")
            return
        here = self.stores / said.path.name
        found = next((path for path in (said.path, here) if (path / "index.json").is_file()), None)
        if found is None:
            text = f"{said.path}: the store of {run.name} is not on this machine"
            self.notify(text, severity="warning", markup=False)
            return
        self.open_store(found, recording=recording, at=at, channel=channel)

    @on(StoresScreen.Opened)
    def _store_chosen(self, event: StoresScreen.Opened) -> None:
        self.open_store(event.path)

    @on(StoreScreen.RunWanted)
    def _run_of_store(self, event: StoreScreen.RunWanted) -> None:
        while isinstance(self.screen, (StoreScreen, StoresScreen)):
            self.pop_screen()
        self.open_run(event.run_name)

    @on(Previews.StoreWanted)
    def _store_of_item(self, event: Previews.StoreWanted) -> None:
        self.open_store_of(
            event.run, recording=event.recording, at=event.seconds, channel=event.channel
        )


DATA_KEYS = (DataPages, StoresScreen, StoreScreen, WindowPane)
"""What has keys of its own."""

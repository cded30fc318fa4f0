"""What the keys of the previews do with sound: play it here, in a browser, or write a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.widget import Widget

from codecctl.dashboard.export import write_new
from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.speaker import Speaker
from codecctl.dashboard.views import RunView
from codecctl.errors import CodecctlError

if TYPE_CHECKING:
    from codecctl.dashboard.heard import Ears, Heard

SIDES = ("A reference", "B reconstruction")


class PlayPreview(Widget):
    """Plays the preview that is open; a part of `Previews`.

    Attributes:
        loaded: What is open; None before it has been read.
        run_view: Of which run.
    """

    class Prepared(Message):
        """What is to be heard, or why nothing can be."""

        def __init__(self, heard: Heard | None, problem: str = "") -> None:
            super().__init__()
            self.heard, self.problem = heard, problem

    class Written(Message):
        """The page of an item lies on the disk, or does not."""

        def __init__(self, text: str, *, failed: bool = False) -> None:
            super().__init__()
            self.text, self.failed = text, failed

    def __init__(self) -> None:
        super().__init__()
        self.loaded: Loaded | None = None
        self.run_view: RunView | None = None
        self._speaker = Speaker()
        self._heard: Heard | None = None

    @property
    def ears(self) -> tuple[int, tuple[float, float] | None]:
        """The channel, counted from 0, and the direction of a beam that one listens into."""
        raise NotImplementedError

    def write_views(self) -> None:
        """Write what is heard."""
        raise NotImplementedError

    def action_play(self) -> None:
        """Play or stop; without loudspeakers a browser is the way."""
        if self._speaker.playing:
            self._silence()
        elif self._is_open():
            if self.app.is_web:
                self._open_in_browser()
            else:
                self._prepare(self.loaded, look_for_device=True)

    def action_other(self) -> None:
        """Hear the other side at the same place."""
        self._speaker.other()
        self.write_views()

    def action_page(self) -> None:
        """Write the page of the item into the working directory, or open it in the browser."""
        if self._is_open():
            if self.app.is_web:
                self._open_in_browser()
            elif getattr(self.app, "may_steer", True):
                self._write_page(self.loaded, self.run_view, "")
            else:
                self.notify("not written: --read-only", severity="warning", markup=False)

    def play_on(self) -> None:
        """Hear what is open now, where something was heard before."""
        if self._speaker.playing:
            self._prepare(self.loaded, look_for_device=False)

    def play_text(self) -> str:
        """What is heard, in words."""
        side = SIDES[self._speaker.side]
        if not self._speaker.playing or self._heard is None:
            return f"p plays {side}, a changes sides"
        return f"▶ {side}, {self._heard.label}, B {self._heard.match_db:+.1f} dB"

    def on_unmount(self) -> None:
        """Let the device go."""
        self._speaker.stop()

    def on_hide(self) -> None:
        """Be silent where nothing is seen."""
        self._silence()

    def _silence(self) -> None:
        if self._speaker.playing:
            self._speaker.stop()
            self.write_views()

    def _is_open(self) -> bool:
        if self.loaded is None or self.run_view is None:
            self.notify("no preview is open yet", severity="warning")
            return False
        if self.loaded.pair.problem:
            self.notify(self.loaded.pair.problem, severity="warning", markup=False)
            return False
        return True

    def _ears(self, loaded: Loaded) -> Ears:
        from codecctl.dashboard.heard import Ears
        from codecctl.datasets.directions import can_aim

        channel, direction = self.ears
        if direction is not None and can_aim(loaded.array, loaded.channels):
            return Ears(direction=direction)
        return Ears(channel=channel if channel or loaded.channels == 1 else None)

    def _open_in_browser(self) -> None:
        from codecctl.dashboard.listening_page import address_of

        if self.loaded is not None and self.run_view is not None:
            address = address_of(self.loaded.preview, self.run_view.name, self._ears(self.loaded))
            self.app.open_url(f"{address}#play")

    @work(thread=True, exclusive=True, group="playing", description="to the loudspeakers")
    def _prepare(self, loaded: Loaded | None, *, look_for_device: bool) -> None:
        from codecctl.dashboard.heard import listen
        from codecctl.playback import missing_playback

        missing = missing_playback() if look_for_device else ""
        if missing:
            self.post_message(self.Prepared(None, missing))
        elif loaded is not None and not loaded.pair.problem:
            heard = listen(loaded.pair, self._ears(loaded), array=loaded.array)
            self.post_message(self.Prepared(heard))

    def on_play_preview_prepared(self, event: Prepared) -> None:
        """Start to play, or write a page where there is nothing to play through."""
        event.stop()
        problem = event.problem
        if event.heard is not None:
            try:
                self._speaker.start(event.heard)
                self._heard = event.heard
                self.write_views()
                return
            except CodecctlError as error:
                problem = str(error)
        if getattr(self.app, "may_steer", True):
            self._write_page(self.loaded, self.run_view, f"{problem}; ")
        else:
            self.notify(f"not played: {problem}", severity="warning", markup=False)

    @work(thread=True, exclusive=True, group="page", description="a page for a browser")
    def _write_page(self, loaded: Loaded | None, run: RunView | None, why: str) -> None:
        from codecctl.dashboard.listening_page import page_html

        if loaded is None or run is None:
            return
        preview = loaded.preview
        stem = re.sub(r"[^\w.-]", "_", f"{run.name}-step-{preview.step}-{preview.item}")
        try:
            ears = self._ears(loaded)
            text = page_html(run.summary.path, preview, loaded.pair, ears)
            path = write_new(Path.cwd(), stem, ".html", text.encode())
        except (CodecctlError, OSError) as error:
            self.post_message(self.Written(f"{why}page not written: {error}", failed=True))
        else:
            self.post_message(self.Written(f"{why}open this in a browser: {path}"))

    def on_play_preview_written(self, event: Written) -> None:
        """Name the page."""
        event.stop()
        severity = "error" if event.failed else "information"
        self.notify(event.text, severity=severity, markup=False, timeout=15)  # type: ignore[arg-type]

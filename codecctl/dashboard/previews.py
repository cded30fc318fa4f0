"""Listening, with eyes and ears: a reference beside what the codec made of it."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher

from codecctl.dashboard.loaded import Loaded, load
from codecctl.dashboard.origin import item_number, origin_of
from codecctl.dashboard.playing import PlayPreview
from codecctl.dashboard.preview_choice import PreviewChoice
from codecctl.dashboard.preview_lines import ChoiceLine
from codecctl.dashboard.queue_view import QueueView
from codecctl.dashboard.space_view import SpaceView
from codecctl.dashboard.spectra_view import SpectraView
from codecctl.dashboard.tokens_view import TokensView
from codecctl.dashboard.views import RunView

VIEWS = ("spectra", "space", "tokens", "queue")


class Previews(PlayPreview, Vertical):
    """The previews of a run: one step for all items, and four ways to look at one of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left,left_square_bracket",
            "step(-1)",
            "Step",
            id="previews.earlier",
            key_display="[ ]",
            tooltip="Earlier step",
        ),
        Binding(
            "right,right_square_bracket",
            "step(1)",
            "Later",
            show=False,
            id="previews.later",
            tooltip="Later step",
        ),
        Binding(
            "home",
            "step(-100000)",
            "First step",
            show=False,
            id="previews.first",
            tooltip="Of all items",
        ),
        Binding(
            "end",
            "step(100000)",
            "Newest step",
            show=False,
            id="previews.newest",
            tooltip="And follow it",
        ),
        Binding(
            "up,I",
            "item(-1)",
            "Previous item",
            show=False,
            id="previews.item_up",
            tooltip="At the same step",
        ),
        Binding(
            "down,i",
            "item(1)",
            "Item",
            id="previews.item_down",
            key_display="↓",
            tooltip="Next item",
        ),
        Binding("c", "channel", "Channel", id="previews.channel", tooltip="Next channel"),
        Binding("v", "view", "View", id="previews.view", tooltip="Spectra, space, tokens, queue"),
        Binding("p", "play", "Play", id="previews.play", tooltip="Here, or in a browser"),
        Binding("a", "other", "A/B", id="previews.other", tooltip="Reference or reconstruction"),
        Binding("h", "page", "Page", show=False, id="previews.page", tooltip="HTML of the item"),
        Binding("o", "store", "Store", show=False, id="previews.store", tooltip="Its recording"),
    ]

    class Read(Message):
        """Both files of a preview have been read."""

        def __init__(self, loaded: Loaded) -> None:
            super().__init__()
            self.loaded = loaded

    class StoreWanted(Message):
        """The recording of an item is to be looked at."""

        def __init__(self, run: RunView, recording: str, seconds: float, channel: int) -> None:
            super().__init__()
            self.run, self.recording = run, recording
            self.seconds, self.channel = seconds, channel

    def __init__(self) -> None:
        super().__init__()
        self._choice = PreviewChoice()
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """What is shown, which view of it, and the views."""
        yield ChoiceLine(id="preview-status")
        yield ChoiceLine(id="preview-views")
        with ContentSwitcher(initial=VIEWS[0], id="preview-switch"):
            yield SpectraView()
            yield SpaceView()
            yield TokensView()
            yield QueueView()

    @property
    def view(self) -> SpectraView | SpaceView | TokensView | QueueView:
        """The view that one sees."""
        current = self.query_one(ContentSwitcher).current or VIEWS[0]
        kinds: dict[str, type[SpectraView | SpaceView | TokensView | QueueView]] = {
            "spectra": SpectraView,
            "space": SpaceView,
            "tokens": TokensView,
            "queue": QueueView,
        }
        return self.query_one(kinds[current])

    def show_run(self, run: RunView) -> None:
        """Take over which previews there are."""
        self.run_view = run
        previews = run.detail.previews if run.detail is not None else ()
        self._choice.set_previews(previews)
        numbers = (item_number(preview.item) for preview in previews)
        heard = frozenset(number for number in numbers if number is not None)
        self.query_one(QueueView).show_run(run, heard)
        self._refresh_choice()

    def on_show(self) -> None:
        """Read the files when they are looked at for the first time."""
        self._refresh_choice()

    def action_step(self, by: int) -> None:
        """Another step; the newest one is followed from then on."""
        self._choice.move_step(by)
        self._refresh_choice()

    def show_step(self, step: int) -> None:
        """The step with previews that is nearest to another one."""
        self._choice.choose_near(step)
        self._refresh_choice()

    def action_item(self, by: int) -> None:
        """Another item of the validation."""
        self._choice.move_item(by)
        self._refresh_choice()

    def action_channel(self) -> None:
        """The next channel, the first one after the last."""
        self._choice.channel = (self._choice.channel + 1) % self._num_channels()
        self._refresh_choice()

    def action_view(self, name: str = "") -> None:
        """The next view, or one by its name."""
        switch = self.query_one(ContentSwitcher)
        current = VIEWS.index(switch.current or VIEWS[0])
        switch.current = name or VIEWS[(current + 1) % len(VIEWS)]
        self.view.focus()
        self.call_after_refresh(self._show_loaded)
        self.play_on()

    def action_store(self) -> None:
        """The recording that an item is from, or the one under the cursor of the queue."""
        run, preview = self.run_view, self._choice.current
        if run is None:
            return
        item = preview.item if preview is not None else ""
        if isinstance(self.view, QueueView) and self.view.selected_key:
            item = f"item-{int(self.view.selected_key):03d}"
        origin = origin_of(run.summary.path, item)
        if origin is None:
            self.notify("the run does not say where this item comes from", severity="warning")
            return
        channel = self._choice.channel
        chosen = origin.channels[channel] if channel < len(origin.channels) else 0
        self.post_message(self.StoreWanted(run, origin.recording, origin.seconds, chosen))

    @on(QueueView.Chosen)
    def _queue_chosen(self, event: QueueView.Chosen) -> None:
        event.stop()
        if self._choice.choose_item(f"item-{event.item:03d}"):
            self.action_view("spectra")
            self._refresh_choice()
        else:
            self.action_store()

    @on(SpaceView.Aimed)
    def _beam_aimed(self, event: SpaceView.Aimed) -> None:
        event.stop()
        self.play_on()

    def _num_channels(self) -> int:
        return self.loaded.channels if self.loaded is not None else 1

    def _refresh_choice(self) -> None:
        """Start to read what is chosen, if it is not what is shown."""
        preview, run = self._choice.current, self.run_view
        if preview is None or run is None:
            self.loaded = None
            text = "no previews yet: the first is written at step 0"
            self.query_one("#preview-status", ChoiceLine).show([(text, "", "")])
            return
        if not self.is_on_screen:
            return
        if self.loaded is not None and self.loaded.preview == preview:
            self._show_loaded()
        elif self._shown != (preview,):
            self._shown = (preview,)
            self._read(run, self._choice)

    @work(thread=True, exclusive=True, group="previews", description="previews of an item")
    def _read(self, run: RunView, choice: PreviewChoice) -> None:
        if choice.current is not None:
            self.post_message(self.Read(load(run.summary.path, choice.current)))

    def on_previews_read(self, event: Read) -> None:
        """Show what was read, unless something else was chosen meanwhile."""
        event.stop()
        if event.loaded.preview == self._choice.current:
            self.loaded = event.loaded
            self._show_loaded()
            self.play_on()

    def _show_loaded(self) -> None:
        self.write_views()
        if self.loaded is None:
            return
        self._choice.channel %= self._num_channels()
        state = (self.loaded, self._choice.channel, self.view.id)
        if self._shown != state:  # a poll without news draws nothing again
            self._shown = state
            self.view.show(self.loaded, self._choice.channel)
        rate = self.loaded.pair.reconstruction.sample_rate
        status = self._choice.status(self._num_channels(), rate)
        self.query_one("#preview-status", ChoiceLine).show(status)

    def write_views(self) -> None:
        """The line that names the views, with what is heard."""
        current = self.query_one(ContentSwitcher).current
        parts = [("v ", "dim", "")]
        for name in VIEWS:
            parts.append((f" {name} ", "reverse" if name == current else "dim", name))
            parts.append((" ", "", ""))
        parts.append((f"  {self.play_text()}", "", ""))
        self.query_one("#preview-views", ChoiceLine).show(parts)

    @on(ChoiceLine.Clicked, "#preview-views")
    def _view_clicked(self, event: ChoiceLine.Clicked) -> None:
        event.stop()
        self.action_view(event.value)

    @on(ChoiceLine.Clicked, "#preview-status")
    def _step_clicked(self, event: ChoiceLine.Clicked) -> None:
        event.stop()
        self._choice.choose_step(int(event.value))
        self._refresh_choice()

    @property
    def ears(self) -> tuple[int, tuple[float, float] | None]:
        """Where one listens: a channel and, in the view of the space, a direction."""
        view = self.view
        return self._choice.channel, view.direction if isinstance(view, SpaceView) else None


PREVIEW_KEYS = (Previews, SpaceView, TokensView, QueueView)
"""What has keys of its own."""

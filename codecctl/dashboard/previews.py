"""Listening with the eyes: a reference beside what the codec made of it."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from codecctl.dashboard.clip import Clip, missing_clip, read_clip
from codecctl.dashboard.picture import Picture
from codecctl.dashboard.spectrum import peak_db
from codecctl.dashboard.views import Preview, RunView


class Previews(Widget, can_focus=True):
    """The previews of a run by step, item and channel."""

    HELP = """
    ## Previews

    Waveform and spectrogram of a fixed validation item and of its reconstruction at one step,
    on the same scales. The newest step is followed until another one is chosen.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Earlier", id="previews.earlier", tooltip="Earlier step"),
        Binding("right", "step(1)", "Later", id="previews.later", tooltip="Later step"),
        Binding("home", "step(-100000)", "First step", show=False, id="previews.first"),
        Binding("end", "step(100000)", "Newest step", show=False, id="previews.newest"),
        Binding("up", "item(-1)", "Previous item", show=False, id="previews.item_up"),
        Binding("down", "item(1)", "Item", id="previews.item_down", tooltip="Next item"),
        Binding("c", "channel", "Channel", id="previews.channel", tooltip="Next channel"),
    ]

    class Read(Message):
        """Both files of a preview have been read."""

        def __init__(self, preview: Preview, reference: Clip, reconstruction: Clip) -> None:
            super().__init__()
            self.preview = preview
            self.reference = reference
            self.reconstruction = reconstruction

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[Preview, ...] = ()
        self._step: int | None = None
        self._item = ""
        self._channel = 0
        self._num_channels = 1
        self._shown: tuple[Preview, int] | None = None

    def compose(self) -> ComposeResult:
        """A line that says what is shown, and two pictures."""
        yield Static(id="preview-status", markup=False)
        with Horizontal(id="preview-pair"):
            yield Picture("reference", id="reference")
            yield Picture("reconstruction", id="reconstruction")

    def show_run(self, run: RunView) -> None:
        """Take over which previews there are."""
        self._all = run.detail.previews if run.detail is not None else ()
        self._refresh_choice()

    def on_show(self) -> None:
        """Read the files when they are looked at for the first time."""
        self._refresh_choice()

    def action_step(self, by: int) -> None:
        """Another step; the newest one is followed from then on."""
        steps = self._steps()
        if steps:
            index = steps.index(self._current_step(steps)) + by
            index = min(max(index, 0), len(steps) - 1)
            self._step = None if index == len(steps) - 1 else steps[index]
            self._refresh_choice()

    def action_item(self, by: int) -> None:
        """Another item of the validation."""
        items = self._items()
        if items:
            index = items.index(self._item) if self._item in items else 0
            self._item = items[(index + by) % len(items)]
            self._refresh_choice()

    def action_channel(self) -> None:
        """The next channel, the first one after the last."""
        self._channel = (self._channel + 1) % max(1, self._num_channels)
        self._refresh_choice()

    def _steps(self) -> list[int]:
        return sorted({preview.step for preview in self._all})

    def _items(self) -> list[str]:
        return sorted({preview.item for preview in self._all})

    def _current_step(self, steps: list[int]) -> int:
        return self._step if self._step in steps else steps[-1]

    def _refresh_choice(self) -> None:
        """Start to read what is chosen, if it is not what is shown."""
        steps = self._steps()
        if not steps:
            self._shown = None
            text = "no previews yet: the first is written at step 0"
            self.query_one("#preview-status", Static).update(text)
            return
        step = self._current_step(steps)
        here = [preview for preview in self._all if preview.step == step]
        preview = next((p for p in here if p.item == self._item), here[0])
        self._item = preview.item
        if self.is_on_screen and self._shown != (preview, self._channel):
            self._shown = (preview, self._channel)
            self._read(preview, self._channel)

    @work(thread=True, exclusive=True, group="previews")
    def _read(self, preview: Preview, channel: int) -> None:
        if preview.reference:
            reference = read_clip(preview.reference, channel)
        else:
            reference = missing_clip("not written")
        reconstruction = read_clip(preview.reconstruction, channel)
        self.post_message(self.Read(preview, reference, reconstruction))

    def on_previews_read(self, event: Read) -> None:
        """Show both clips on common scales."""
        event.stop()
        if self._shown is None or event.preview != self._shown[0]:
            return
        clips = (event.reference, event.reconstruction)
        self._num_channels = max(1, *(clip.num_channels for clip in clips))
        top_db = max(peak_db(clip.samples) for clip in clips)
        full_scale = max(1e-4, *(float(abs(clip.samples).max(initial=0.0)) for clip in clips))
        for name, clip in zip(("#reference", "#reconstruction"), clips, strict=True):
            self.query_one(name, Picture).show(clip, top_db=top_db - 10, full_scale=full_scale)
        self._write_status(event.preview, event.reconstruction)

    def _write_status(self, preview: Preview, clip: Clip) -> None:
        steps, items = self._steps(), self._items()
        slider = "".join("●" if step == preview.step else "─" for step in steps[-40:])
        parts = [
            f"step {preview.step} ({steps.index(preview.step) + 1}/{len(steps)}) {slider}",
            f"{preview.item} ({items.index(preview.item) + 1}/{len(items)})",
            f"channel {clip.channel + 1}/{self._num_channels}",
            f"{clip.sample_rate} Hz",
        ]
        self.query_one("#preview-status", Static).update(" · ".join(parts))

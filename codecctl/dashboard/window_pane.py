"""The waveform and the spectrogram of any second of any channel of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from codecctl.dashboard.confirm_screen import PromptScreen
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.picture import Picture
from codecctl.dashboard.sound import Sound
from codecctl.dashboard.store_reading import read_window
from codecctl.dashboard.waveform import level_db, peak_db

if TYPE_CHECKING:
    from codecctl.datasets.store import RecordingInfo, Store

SPANS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""Seconds that a picture may show."""
_COLUMNS = (
    ListColumn("recording", 0),
    ListColumn("scene", 16, from_width=70),
    ListColumn("array", 10),
    ListColumn("ch", 4, right=True),
    ListColumn("seconds", 9, right=True),
    ListColumn("problems", 24, from_width=100),
)


class WindowPane(Vertical):
    """The recordings of a store above a window of one of them."""

    HELP = """
    ## Recordings

    Waveform and spectrogram of any second of any channel of the recording under the cursor; the
    colors reach from the loudest place 70 dB down. `left` and `right` go by half of what is shown.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the table, which would move its cursor by columns.
        *(
            Binding(
                key,
                f"move({by})",
                label,
                show=key == "left",
                id=f"window.{name}",
                tooltip=tooltip,
                key_display="← →" if key == "left" else None,
                priority=True,
            )
            for key, by, label, name, tooltip in (
                ("left", -1, "Time", "earlier", "Earlier by half a window"),
                ("right", 1, "Later", "later", "By half a window"),
                ("home", -1_000_000, "Start", "start", "Of the recording"),
                ("end", 1_000_000, "End", "end", "Of the recording"),
            )
        ),
        Binding(
            "plus,equals_sign",
            "zoom(-1)",
            "Zoom",
            id="window.shorter",
            key_display="+ -",
            tooltip="Show less, or more",
        ),
        Binding("minus", "zoom(1)", "Longer", show=False, id="window.longer", tooltip="Show more"),
        Binding("c", "channel(1)", "Channel", id="window.channel", tooltip="Next channel"),
        Binding(
            "C",
            "channel(-1)",
            "Channel before",
            show=False,
            id="window.channel_before",
            tooltip="The one before",
        ),
        Binding("g", "go", "Second", id="window.go", tooltip="Go to a second"),
        Binding("p", "play", "Play", id="window.play", tooltip="Through the loudspeakers"),
    ]

    class Read(Message):
        """A window has been read."""

        def __init__(self, place: tuple[object, ...], sound: Sound) -> None:
            super().__init__()
            self.place, self.sound = place, sound

    class Refused(Message):
        """Nothing can be played."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self, *, recording: str = "", at: float = 0.0, channel: int = 0) -> None:
        super().__init__()
        self._store: Store | None = None
        self._recording, self._at, self._channel = recording, at, channel
        self._span = 1
        self._sound: Sound | None = None
        self._problems: dict[str, str] = {}
        self._place: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Table, line, picture."""
        yield Listing(_COLUMNS, id="recordings-table")
        yield Static(id="window-status", markup=False)
        yield Picture("window", id="window-picture")

    def show_store(self, store: Store) -> None:
        """Take over a store, and go to the recording that was asked for."""
        self._store = store
        self._fill()
        if self._recording:
            self.query_one(Listing).select_key(self._recording)
        self._refresh()

    def show_problems(self, problems: dict[str, str]) -> None:
        """What a check found, by recording."""
        self._problems = problems
        self._fill()

    def _fill(self) -> None:
        rows = self._store.recordings if self._store is not None else ()
        self.query_one(Listing).show_rows({row.name: self._cells(row) for row in rows})

    def _cells(self, row: RecordingInfo) -> list[Cell]:
        problems = self._problems.get(row.name, "")
        return [
            row.name,
            row.scene,
            row.array,
            str(row.channels),
            f"{row.seconds:.2f}",
            problems,
        ]

    @on(Listing.RowHighlighted)
    def _recording_chosen(self, event: Listing.RowHighlighted) -> None:
        event.stop()
        chosen = self.query_one(Listing).selected_key or ""
        if chosen != self._recording:
            self._recording, self._at = chosen, 0.0
        self._refresh()

    def _info(self) -> RecordingInfo | None:
        rows = self._store.recordings if self._store is not None else ()
        return next((row for row in rows if row.name == self._recording), None)

    def action_move(self, by: int) -> None:
        """Go by half of what is shown."""
        self._go(self._at + by * SPANS[self._span] / 2)

    def action_zoom(self, by: int) -> None:
        """Show less or more."""
        self._span = min(max(self._span + by, 0), len(SPANS) - 1)
        self._go(self._at)

    def action_channel(self, by: int) -> None:
        """Another channel, round and round."""
        info = self._info()
        if info is not None:
            self._channel = (self._channel + by) % info.channels
            self._refresh()

    def action_go(self) -> None:
        """Ask for a second and go there."""
        info = self._info()
        if info is not None:
            question = f"Second of {info.name}, 0 to {info.seconds:.2f}"
            self.app.push_screen(PromptScreen(question), self._answered)

    def _answered(self, answer: str | None) -> None:
        try:
            self._go(float(answer or self._at))
        except ValueError:
            self.notify(f"{answer}: no number of seconds", severity="warning", markup=False)

    def _go(self, at: float) -> None:
        info = self._info()
        if info is not None and at == at:
            self._at = min(max(0.0, at), max(0.0, info.seconds - SPANS[self._span]))
            self._refresh()

    def _refresh(self) -> None:
        info = self._info()
        if info is None or self._store is None:
            return
        self._channel = min(self._channel, info.channels - 1)
        place = (info.name, self._at, self._span, self._channel)
        if place != self._place:
            self._place = place
            self._read(self._store, info, place)

    @work(thread=True, exclusive=True, group="window", description="seconds of a recording")
    def _read(self, store: Store, info: RecordingInfo, place: tuple[object, ...]) -> None:
        sound = read_window(
            store, info, at=self._at, seconds=SPANS[self._span], channel=self._channel
        )
        self.post_message(self.Read(place, sound))

    def on_window_pane_read(self, event: Read) -> None:
        """Show a window, unless another one is wanted by now."""
        event.stop()
        info = self._info()
        if event.place != self._place or info is None:
            return
        self._sound = event.sound
        clip = event.sound.clip(0)
        peak = float(abs(clip.samples).max(initial=0.0))
        picture = self.query_one("#window-picture", Picture)
        picture.show(clip, top_db=peak_db(clip.samples) - 10, full_scale=max(1e-5, peak))
        parts = [
            info.name,
            f"{self._at:.2f} to {self._at + clip.seconds:.2f} of {info.seconds:.2f} s",
            f"channel {self._channel + 1}/{info.channels}",
            f"{info.sample_rate} Hz {info.dtype}",
            f"RMS {level_db(clip.samples):.1f} dB",
        ]
        self.query_one("#window-status", Static).update(" · ".join(parts))

    def action_play(self) -> None:
        """Play what is shown, once."""
        if self._sound is not None and not self._sound.problem:
            self._play(self._sound)

    @work(
        thread=True, exclusive=True, group="window-play", description="seconds to the loudspeakers"
    )
    def _play(self, sound: Sound) -> None:
        from codecctl.errors import CodecctlError
        from codecctl.playback import audible_gain_db, missing_playback, play

        # In a browser, the loudspeakers of this machine are those of somebody else.
        reason = "a browser cannot hear stores" if self.app.is_web else missing_playback()
        if not reason:
            try:
                gain = audible_gain_db(sound.audio)
                play(sound.audio, sample_rate=sound.sample_rate, gain_db=gain)
            except CodecctlError as error:
                reason = str(error)
        if reason:
            self.post_message(self.Refused(reason))

    def on_window_pane_refused(self, event: Refused) -> None:
        """Say why it is silent, and how to hear it elsewhere."""
        event.stop()
        store = self._store.name if self._store is not None else ""
        other = f"codecctl data preview {store} {self._recording} --at {self._at:g} --out FILE.wav"
        self.notify(f"not played: {event.reason}; {other}", severity="warning", markup=False)

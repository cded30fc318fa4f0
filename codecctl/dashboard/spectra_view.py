"""Reference and reconstruction side by side, their difference, and the level of each capsule."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from codecctl.dashboard.capsule_levels import level_lines
from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.picture import DifferencePicture, Picture
from codecctl.dashboard.waveform import peak_db

_BESIDE = 110
"""From this width on the difference stands beside the pair, else below it."""


class SpectraView(Vertical, can_focus=True):
    """Waveforms and spectrograms of one channel."""

    HELP = """
    ## Spectra

    Waveform and spectrogram of a fixed validation item and of its reconstruction, on one scale;
    frequencies are logarithmic. The difference is blue (minus) where something is missing and
    orange (plus) where there is too much.

    `p` plays it, `a` changes between both sides, `h` writes a page that a browser plays, `o` opens
    the second of the store that it is from, and `v` goes on to space, tokens and queue.
    """

    def __init__(self) -> None:
        super().__init__(id="spectra")
        self._loaded: Loaded | None = None

    def compose(self) -> ComposeResult:
        """Three pictures and the levels."""
        with Horizontal(id="preview-pair"):
            yield Picture("A reference", id="reference")
            yield Picture("B reconstruction", id="reconstruction")
            yield DifferencePicture(id="difference")
        yield Static(id="capsule-levels", markup=False)

    def on_resize(self) -> None:
        """Put the difference where there is room for it."""
        self.query_one("#preview-pair").set_class(self.size.width < _BESIDE, "-narrow")
        self._write_levels()

    def show(self, loaded: Loaded, channel: int) -> None:
        """Exchange what is looked at."""
        self._loaded = loaded
        pair = loaded.pair
        clips = (pair.reference.clip(channel), pair.reconstruction.clip(channel))
        top_db = max(peak_db(clip.samples) for clip in clips) - 10
        full_scale = max(1e-4, *(float(abs(clip.samples).max(initial=0.0)) for clip in clips))
        for name, clip in zip(("#reference", "#reconstruction"), clips, strict=True):
            self.query_one(name, Picture).show(clip, top_db=top_db, full_scale=full_scale)
        self.query_one(DifferencePicture).show(
            None if pair.problem else clips, full_scale=full_scale
        )
        self._write_levels()

    def _write_levels(self) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        pair = loaded.pair
        lines = (
            [pair.problem]
            if pair.problem
            else level_lines(loaded.levels, width=self.size.width - 2)
        )
        self.query_one("#capsule-levels", Static).update("\n".join(lines))

"""The page of `data preview`: what is drawn, how many panels of it, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from codecctl.commands.preview_picture import (
    Frame,
    Signal,
    common_scale,
    level_bars,
    panel,
    scale_line,
    side_by_side,
    spectrogram,
)
from codecctl.commands.source_lines import array_text
from codecctl.datasets.beam import beam_of
from codecctl.datasets.em32 import ARRAY_NAME, COLATITUDE_AZIMUTH_DEGREES
from codecctl.datasets.listening import (
    ChannelLevels,
    read_beam,
    read_span,
    telling_channels,
)
from codecctl.datasets.naming import channel_labels
from codecctl.datasets.summary import decibels

if TYPE_CHECKING:
    from codecctl.commands.preview_choice import Wanted
    from codecctl.datasets.store import RecordingInfo, Store
    from codecctl.terminal import Screen

NARROWEST = 40
_TWO_COLUMNS = 100
_BAR_ROWS = 3
_AROUND = 3
"""Lines besides panels and bars: heading, scale, and the prompt of the shell."""
_PANEL_ROWS = 14
"""Of a panel that is worth drawing."""
_BESIDE_SPECTROGRAM = 5
_FEWEST, _MOST = 8, 16


@dataclass(frozen=True)
class _Grid:
    """How panels are laid out on a page."""

    columns: int
    rows: int
    """Of panels, that fit on the screen."""
    width: int
    """Of a panel."""
    height: int
    """Lines of a spectrogram."""


def default_count(terminal: Screen) -> int:
    """How many channels are shown where none are chosen: a screen full of them, 4 at most."""
    grid = _grid(terminal, count=4, bars=True)
    return grid.columns * grid.rows


def signals_of(store: Store, wanted: Wanted, levels: ChannelLevels, *, count: int) -> list[Signal]:
    """What is drawn: the beam, the chosen channels, or `count` that stand for all."""
    info = wanted.info
    if wanted.direction is not None:
        audio = beam_audio(store, wanted)
        power = float(np.mean(np.square(audio, dtype=np.float64)))
        label = f"beam to azimuth {wanted.direction[0]:g}°, elevation {wanted.direction[1]:g}°"
        return [Signal(label, audio, decibels(power), decibels(float(np.abs(audio).max()) ** 2))]
    chosen = wanted.channels or telling_channels(info.array, info.channels, count)
    return [
        Signal(
            _label(info, channel),
            read_span(store, info, wanted.span, [channel])[0],
            levels.rms_db[channel],
            levels.peak_db[channel],
        )
        for channel in chosen
    ]


def beam_audio(store: Store, wanted: Wanted) -> np.ndarray:
    """The signal of the beam that is asked for, (T,).

    Raises:
        DataError: The array of the recording is not known.
    """
    assert wanted.direction is not None
    info = wanted.info
    azimuth, elevation = wanted.direction
    beam = beam_of(
        wanted.array,
        info.channels,
        sample_rate=info.sample_rate,
        azimuth=azimuth,
        elevation=elevation,
    )
    return read_beam(store, info, wanted.span, beam)


def page(
    wanted: Wanted,
    levels: ChannelLevels,
    signals: Sequence[Signal],
    *,
    terminal: Screen,
) -> list[Text]:
    """Heading, a bar for every channel, the panels, and what their colors mean."""
    width = max(NARROWEST, terminal.width)
    grid = _grid(terminal, count=len(signals), bars=wanted.info.channels > 1)
    rate = wanted.info.sample_rate
    frame = Frame(grid.width, grid.height, wanted.span.start / rate, rate, terminal.colors)
    pictures = [spectrogram(signal, frame) for signal in signals]
    scale = common_scale(signals, pictures)
    panels = [
        panel(signal, picture, scale=scale, frame=frame)
        for signal, picture in zip(signals, pictures, strict=True)
    ]
    bars = (
        level_bars(levels.rms_db, width=width, rows=_BAR_ROWS, colors=terminal.colors)
        if wanted.info.channels > 1
        else []
    )
    return [
        _heading(wanted),
        *bars,
        *side_by_side(panels, columns=grid.columns),
        scale_line(scale, width=width, colors=terminal.colors),
    ]


def _grid(terminal: Screen, *, count: int, bars: bool) -> _Grid:
    free = terminal.height - _AROUND - bars * (_BAR_ROWS + 1)
    width = max(NARROWEST, terminal.width)
    columns = 2 if width >= _TWO_COLUMNS and count > 1 else 1
    rows = max(1, min(-(-count // columns), free // _PANEL_ROWS))
    room = free // rows - _BESIDE_SPECTROGRAM
    height = max(_FEWEST, min(_MOST, room))
    return _Grid(columns, rows, (width - 2 * (columns - 1)) // columns, height)


def _heading(wanted: Wanted) -> Text:
    info, span = wanted.info, wanted.span
    first, last = span.start / info.sample_rate, (span.start + span.frames) / info.sample_rate
    heading = Text(f"{info.name}  ", style="bold")
    facts = f"{array_text(info.array, info.channels)}, {info.sample_rate} Hz, "
    where = f"{first:.2f} to {last:.2f} of {info.seconds:.2f} s"
    return heading.append(facts + where, "not bold")


def _label(info: RecordingInfo, channel: int) -> str:
    """The name of a channel, with azimuth and elevation of a capsule."""
    label = channel_labels(info.array, info.channels)[channel]
    if info.array != ARRAY_NAME or info.channels != len(COLATITUDE_AZIMUTH_DEGREES):
        return label
    colatitude, azimuth = COLATITUDE_AZIMUTH_DEGREES[channel]
    return f"{label} ({azimuth}°, {90 - colatitude:+d}°)"

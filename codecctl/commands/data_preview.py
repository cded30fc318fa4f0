"""`codecctl data preview`: see and hear a piece of a recording, per channel or through a beam."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.commands.data_info import finite
from codecctl.errors import UsageError
from codecctl.locations import find_store
from codecctl.output import note, result_json
from codecctl.terminal import Screen, screen, table_lines, write

if TYPE_CHECKING:
    import numpy as np

    from codecctl.commands.preview_choice import Wanted
    from codecctl.commands.preview_picture import Signal
    from codecctl.datasets.listening import ChannelLevels
    from codecctl.datasets.store import Store

SCHEMA = 1


def preview(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    recording: Annotated[
        str, typer.Argument(metavar="[RECORDING]", help="Which one; without, they are listed.")
    ] = "",
    at: Annotated[float, typer.Option(help="First second to show.")] = 0.0,
    seconds: Annotated[float, typer.Option(help="How much to show, at most 120.")] = 10.0,
    channels: Annotated[
        str, typer.Option(metavar="LIST", help="Such as 1,2,5-8, counted from 1.")
    ] = "",
    beam: Annotated[
        str,
        typer.Option(
            metavar="AZ,EL", help="Listen into a direction, degrees: 0 = front, 90 = left."
        ),
    ] = "",
    array: Annotated[
        str,
        typer.Option(metavar="NAME", help="For a beam, where the store does not know: ambisonic."),
    ] = "",
    play: Annotated[bool, typer.Option("--play", help="Through the loudspeakers.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Write what is shown as a sound file.")
    ] = None,
    width: Annotated[int, typer.Option(min=0, help="Of the page; default: terminal.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Draw, and play, channels or a beam of a recording.

    Waveform and spectrogram of a few channels, or of those that are chosen, and a bar with the
    level of every channel.
    """
    from codecctl.commands.preview_choice import (
        Wanted,
        chosen_channels,
        chosen_direction,
        chosen_recording,
        chosen_span,
    )
    from codecctl.datasets.store import Store

    if array and not beam:
        raise UsageError("--array: belongs to --beam; add it")
    if channels and beam:
        raise UsageError("--channels and --beam: needed one of them")
    if out is not None and out.suffix.lower() != ".wav":
        raise UsageError(f"--out {out}: needed a name that ends in .wav")
    with Store.open(find_store(store)) as opened:
        if not recording:
            _list_recordings(opened, as_json=as_json)
            return
        info = chosen_recording(opened, recording)
        wanted = Wanted(
            info,
            chosen_span(info, at=at, seconds=seconds),
            chosen_channels(channels, info) if channels else (),
            chosen_direction(beam) if beam else None,
            array or info.array,
        )
        _show(opened, wanted, screen(width), as_json=as_json)
        if out is not None:
            _write(opened, wanted, out)
        if play:
            _play(opened, wanted)


def _list_recordings(store: Store, *, as_json: bool) -> None:
    rows = store.recordings
    if as_json:
        listed = [
            {"name": row.name, "array": row.array, "channels": row.channels, "seconds": row.seconds}
            for row in rows
        ]
        result_json({"schema": SCHEMA, "store": store.name, "recordings": listed})
        return
    head = ["recording", "array", "channels", "seconds"]
    cells = [[row.name, row.array, str(row.channels), f"{row.seconds:.2f}"] for row in rows]
    write(table_lines([head, *cells], right=(2, 3)))
    note(f"look at one with: codecctl data preview {store.name} {rows[0].name}")


def _show(store: Store, wanted: Wanted, terminal: Screen, *, as_json: bool) -> None:
    from codecctl.commands.preview_page import default_count, page, signals_of
    from codecctl.datasets.listening import channel_levels

    levels = channel_levels(store, wanted.info, wanted.span)
    signals = signals_of(store, wanted, levels, count=default_count(terminal))
    if as_json:
        result_json(_to_json(store, wanted, levels, signals))
    else:
        write(page(wanted, levels, signals, terminal=terminal))


def _to_json(
    store: Store, wanted: Wanted, levels: ChannelLevels, signals: Sequence[Signal]
) -> object:
    info, span = wanted.info, wanted.span
    return finite(
        {
            "schema": SCHEMA,
            "store": store.name,
            "recording": info.name,
            "scene": info.scene,
            "array": info.array,
            "sample_rate": info.sample_rate,
            "start": span.start / info.sample_rate,
            "seconds": span.frames / info.sample_rate,
            "channels": {"rms_db": levels.rms_db, "peak_db": levels.peak_db},
            "signals": [
                {"label": signal.label, "rms_db": signal.rms_db, "peak_db": signal.peak_db}
                for signal in signals
            ],
        }
    )


def _audio(store: Store, wanted: Wanted, *, otherwise: Sequence[int]) -> np.ndarray:
    """The beam or the chosen channels, else some others, (C, T)."""
    from codecctl.commands.preview_page import beam_audio
    from codecctl.datasets.listening import read_span

    if wanted.direction is not None:
        return beam_audio(store, wanted)[None]
    return read_span(store, wanted.info, wanted.span, wanted.channels or otherwise)


def _write(store: Store, wanted: Wanted, path: Path) -> None:
    """Write the beam, the chosen channels or all of them, as float WAV."""
    from codecctl.datasets.listening import write_wav

    audio = _audio(store, wanted, otherwise=range(wanted.info.channels))
    write_wav(path, audio, sample_rate=wanted.info.sample_rate)
    count = f"{len(audio)} channel" + "s" * (len(audio) != 1)
    note(f"{path}: {count}, {audio.shape[1] / wanted.info.sample_rate:.2f} s, float32")


def _play(store: Store, wanted: Wanted) -> None:
    """Play the beam or at most two of the chosen channels."""
    from codecctl.datasets.listening import stereo_channels
    from codecctl.playback import audible_gain_db, play, require_playback

    require_playback()
    info = wanted.info
    audio = _audio(store, wanted, otherwise=stereo_channels(info.array, info.channels))[:2]
    gain = audible_gain_db(audio)
    note(f"playing {audio.shape[1] / info.sample_rate:.1f} s with {gain:+.0f} dB")
    play(audio, sample_rate=info.sample_rate, gain_db=gain)

"""`codecctl encode` and `codecctl decode`: recordings to coded files and back, every sample."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.commands.model_choice import choose_model, load_model
from codecctl.errors import UsageError
from codecctl.output import note, progress, result, result_json

if TYPE_CHECKING:
    from codecctl.engine.lossless.disk import Advance, Sizes

SUFFIX = ".cctl"
PIPE = Path("-")


class Effort(Enum):
    """What coding without a model may cost: `engine.lossless.prediction.EFFORTS`."""

    normal = "normal"
    high = "high"


_Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="RUN[:CKPT] | NPZ",
        help="A lossless run, CKPT its best (default), last or a step; or what it exported.",
    ),
]
_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Where it goes; - for stdout; default: beside the input."),
]
_AtOnce = Annotated[
    int, typer.Option(min=0, help="Chunks side by side, for speed only; 0: as memory allows.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def encode(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="AUDIO", help="WAV, FLAC, AIFF or W64 of 8, 16 or 24 bits; - for stdin."
        ),
    ],
    model: _Model = None,
    lossless: Annotated[
        bool,
        typer.Option("--lossless", help="Without a model: prediction across time and channels."),
    ] = False,
    effort: Annotated[
        Effort | None,
        typer.Option(
            help="Of --lossless: normal (default), or high: smaller, half as fast both ways."
        ),
    ] = None,
    output: _Output = None,
    block: Annotated[
        int | None,
        typer.Option(min=1, help="Samples of a channel in a row; default: as it was trained."),
    ] = None,
    at_once: _AtOnce = 0,
    as_json: _Json = False,
) -> None:
    """Compress a recording losslessly, with a trained model or with --lossless without any.

    Decoding needs the same model, or none. Of a WAV file every byte comes back, metadata included;
    of other formats the samples do, as a WAV file.
    """
    if (model is None) != lossless:
        raise UsageError("encode: needed either --lossless or --model RUN or NPZ, one of the two")
    if effort is not None and not lossless:
        raise UsageError("encode: --effort is of --lossless; leave it out with --model")
    target = _target(source, output, suffix=SUFFIX, as_json=as_json)
    chosen = None if model is None else choose_model(model)
    from codecctl.engine.lossless.sources import as_wav

    beside = None if target == PIPE else target.absolute().parent
    with as_wav(source, beside=_existing(beside)) as found, _landing(target) as path:
        if found.kind != "WAV":
            note(f"{source}: {found.kind}; its samples are kept, and decode gives a WAV file")
        if chosen is None:
            _encode_array(
                found.path, path, target, (effort or Effort.normal).value, as_json=as_json
            )
        else:
            _encode_learned(found.path, path, target, chosen, block, at_once, as_json=as_json)


def decode(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What encode wrote; - for stdin.")],
    model: _Model = None,
    output: _Output = None,
    start: Annotated[float, typer.Option(min=0, help="Seconds to leave out at the start.")] = 0.0,
    seconds: Annotated[
        float, typer.Option(min=0, help="Seconds to decode, only what they need; 0: all.")
    ] = 0.0,
    at_once: _AtOnce = 0,
    as_json: _Json = False,
) -> None:
    """Restore a WAV file, byte for byte, with the model that it was encoded with, if any.

    With --start or --seconds a part of it becomes a WAV file of its own, without metadata.
    """
    target = _target(source, output, suffix=".wav", as_json=as_json)
    chosen = None if model is None else choose_model(model)
    with _kept(source, target) as file, _landing(target) as path:
        if chosen is None:
            _decode_array(file, path, target, (start, seconds), as_json=as_json)
        else:
            _decode_learned(file, path, target, chosen, (start, seconds), at_once, as_json=as_json)


def _encode_array(source: Path, path: Path, target: Path, effort: str, *, as_json: bool) -> None:
    from codecctl.engine.lossless.arrays import encode_array

    def work(advance: Advance) -> Sizes:
        return encode_array(source, path, effort=effort, advance=advance)

    _measured("encode", _samples_of(source), work, target, as_json=as_json)


def _encode_learned(
    source: Path,
    path: Path,
    target: Path,
    model: Path,
    block: int | None,
    at_once: int,
    *,
    as_json: bool,
) -> None:
    from codecctl.engine.lossless.files import encode_file

    total, found = _samples_of(source), load_model(model)
    length = found.block if block is None else block

    def work(advance: Advance) -> Sizes:
        return encode_file(
            source, path, found.exact, block=length, at_once=at_once, advance=advance
        )

    _measured("encode", total, work, target, as_json=as_json)


def _decode_array(
    source: Path, path: Path, target: Path, part: tuple[float, float], *, as_json: bool
) -> None:
    from codecctl.engine.lossless.arrays import decode_array

    frames, total = _wanted(source, part)

    def work(advance: Advance) -> Sizes:
        return decode_array(source, path, frames=frames, advance=advance)

    _measured("decode", total, work, target, as_json=as_json)


def _decode_learned(
    source: Path,
    path: Path,
    target: Path,
    model: Path,
    part: tuple[float, float],
    at_once: int,
    *,
    as_json: bool,
) -> None:
    from codecctl.engine.lossless.arrays import require_some_model
    from codecctl.engine.lossless.disk import read_header
    from codecctl.engine.lossless.files import decode_file

    require_some_model(read_header(source), source)
    frames, total = _wanted(source, part)
    exact = load_model(model).exact

    def work(advance: Advance) -> Sizes:
        return decode_file(source, path, exact, frames=frames, at_once=at_once, advance=advance)

    _measured("decode", total, work, target, as_json=as_json)


def _samples_of(source: Path) -> int:
    from codecctl.engine.lossless.wav import read_parts

    parts = read_parts(source)
    return parts.frames * parts.channels


def _wanted(source: Path, part: tuple[float, float]) -> tuple[range | None, int]:
    """Frames of a part, None for the whole, and how many samples they are."""
    from codecctl.engine.lossless.disk import read_header
    from codecctl.engine.lossless.parts import frames_of

    header = read_header(source)
    if part == (0.0, 0.0):
        return None, header.symbols
    frames = frames_of(header, source, start=part[0], seconds=part[1])
    return frames, len(frames) * header.channels


def _target(source: Path, output: Path | None, *, suffix: str, as_json: bool) -> Path:
    """Where the result goes, which does not exist yet."""
    if output is None and source == PIPE:
        raise UsageError("stdin has no name to put another behind; needed --output FILE, or -")
    target = output or source.with_suffix(suffix)
    if target == PIPE:
        if as_json:
            raise UsageError("--json and --output - would both write to stdout; leave one out")
        if sys.stdout.isatty():
            raise UsageError("stdout: found a terminal, needed a file or a pipe for --output -")
    elif target.exists():
        raise UsageError(f"{target}: exists; choose another name with --output FILE, or remove it")
    return target


def _existing(folder: Path | None) -> Path:
    """A folder for temporary files."""
    return folder if folder is not None and folder.is_dir() else Path(tempfile.gettempdir())


@contextmanager
def _kept(source: Path, target: Path) -> Iterator[Path]:
    """A coded file, or what stdin gives as one."""
    if source != PIPE:
        yield source
        return
    from codecctl.engine.lossless.sources import spool

    beside = None if target == PIPE else target.absolute().parent
    with tempfile.TemporaryDirectory(prefix=".codecctl-", dir=_existing(beside)) as folder:
        path = Path(folder, "stdin")
        spool(path)
        yield path


@contextmanager
def _landing(target: Path) -> Iterator[Path]:
    """A path to write to; what is meant for stdout goes there when it is whole."""
    if target != PIPE:
        yield target
        return
    with tempfile.TemporaryDirectory(prefix="codecctl-") as folder:
        path = Path(folder, "stdout")
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _measured(
    title: str, total: int, work: Callable[[Advance], Sizes], target: Path, *, as_json: bool
) -> None:
    """Do it with its progress shown, and tell sizes and speed."""
    started = time.monotonic()
    with progress(title, total, unit="samples") as advance:
        sizes = work(advance)
    seconds = time.monotonic() - started
    if as_json:
        result_json(
            {
                "schema": 1,
                "file": str(target),
                "raw_bytes": sizes.raw,
                "coded_bytes": sizes.coded,
                "symbols": sizes.symbols,
                "wall_seconds": seconds,
            }
        )
        return
    coded = f"{sizes.coded} coded, ratio {sizes.raw / sizes.coded:.3f}, " if sizes.coded else ""
    say = note if target == PIPE else result
    say(
        f"{'stdout' if target == PIPE else target}: {sizes.raw} bytes of WAV, {coded}"
        f"{sizes.symbols} symbols in {seconds:.1f} s "
        f"({sizes.symbols / max(seconds, 1e-3):.0f} per second)"
    )

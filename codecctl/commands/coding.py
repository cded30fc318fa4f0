"""`codecctl encode` and `codecctl decode`: WAV files through a trained language model and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import UsageError
from codecctl.output import progress, result, result_json

if TYPE_CHECKING:
    from codecctl.engine.lossless.disk import Sizes
    from codecctl.engine.lossless.exact import ExactTransformer

SUFFIX = ".cctl"

_Model = Annotated[
    Path | None, typer.Option("--model", "-m", help="Weights that `train` exported: NAME.npz.")
]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Where it goes; default: beside the input.")
]
_AtOnce = Annotated[
    int, typer.Option(min=0, help="Chunks side by side, for speed only; 0: as memory allows.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def encode(
    source: Annotated[Path, typer.Argument(metavar="WAV", help="WAV file of 8, 16 or 24 bits.")],
    model: _Model = None,
    lossless: Annotated[
        bool,
        typer.Option("--lossless", help="Without a model: prediction across time and channels."),
    ] = False,
    output: _Output = None,
    block: Annotated[
        int, typer.Option(min=1, help="Samples of a channel in a row; best as it was trained.")
    ] = 1024,
    at_once: _AtOnce = 0,
    as_json: _Json = False,
) -> None:
    """Compress a WAV file losslessly, with a trained model or with --lossless without any.

    Decoding needs the same model, or none. Every byte of the file comes back, metadata included.
    """
    if (model is None) != lossless:
        raise UsageError("encode: needed either --lossless or --model NAME.npz, one of the two")
    target = output or source.with_suffix(SUFFIX)
    _refuse_existing(target)
    from codecctl.engine.lossless.files import encode_file
    from codecctl.engine.lossless.wav import read_parts

    parts = read_parts(source)
    total = parts.frames * parts.channels
    if model is None:
        _encode_array(source, target, total, as_json=as_json)
        return
    exact = _load(model)
    started = time.monotonic()
    with progress("encode", total, unit="symbols") as advance:
        sizes = encode_file(
            source,
            target,
            exact,
            block=block,
            at_once=at_once,
            advance=advance,
        )
    _tell(target, sizes, time.monotonic() - started, as_json=as_json)


def decode(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What encode wrote.")],
    model: _Model = None,
    output: _Output = None,
    at_once: _AtOnce = 0,
    as_json: _Json = False,
) -> None:
    """Restore a WAV file, byte for byte, with the model that it was encoded with, if any."""
    target = output or source.with_suffix(".wav")
    _refuse_existing(target)
    from codecctl.engine.lossless.disk import read_header
    from codecctl.engine.lossless.files import decode_file

    total = read_header(source).symbols
    if model is None:
        _decode_array(source, target, total, as_json=as_json)
        return
    exact = _load(model)
    started = time.monotonic()
    with progress("decode", total, unit="symbols") as advance:
        sizes = decode_file(source, target, exact, at_once=at_once, advance=advance)
    _tell(target, sizes, time.monotonic() - started, as_json=as_json)


def _encode_array(source: Path, target: Path, total: int, *, as_json: bool) -> None:
    from codecctl.engine.lossless.arrays import encode_array

    started = time.monotonic()
    with progress("encode", total, unit="samples") as advance:
        sizes = encode_array(source, target, advance=advance)
    _tell(target, sizes, time.monotonic() - started, as_json=as_json)


def _decode_array(source: Path, target: Path, total: int, *, as_json: bool) -> None:
    from codecctl.engine.lossless.arrays import decode_array

    started = time.monotonic()
    with progress("decode", total, unit="samples") as advance:
        sizes = decode_array(source, target, advance=advance)
    _tell(target, sizes, time.monotonic() - started, as_json=as_json)


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise UsageError(f"{target}: exists; choose another name with --output FILE, or remove it")


def _load(path: Path) -> ExactTransformer:
    from codecctl.engine.lossless.exact import ExactTransformer
    from codecctl.engine.lossless_export import load_exported

    return ExactTransformer(load_exported(path))


def _tell(target: Path, sizes: Sizes, seconds: float, *, as_json: bool) -> None:
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
    ratio = sizes.raw / sizes.coded
    result(
        f"{target}: {sizes.raw} bytes of WAV, {sizes.coded} coded, ratio {ratio:.3f}, "
        f"{sizes.symbols} symbols in {seconds:.1f} s "
        f"({sizes.symbols / max(seconds, 1e-3):.0f} per second)"
    )

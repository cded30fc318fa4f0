"""`codecctl inspect`: what a coded file holds, read without decoding it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.output import result_json

if TYPE_CHECKING:
    from codecctl.engine.lossless.survey import Survey

_COLUMNS = 60


def inspect(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What encode wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show what a coded file holds and how large its parts are; every CRC is checked."""
    from codecctl.engine.lossless.survey import survey

    found = survey(source)
    if as_json:
        result_json(_document(source, found))
        return
    from codecctl.terminal import write

    write(_lines(source, found))


def _document(source: Path, found: Survey) -> dict[str, object]:
    header = found.header
    return {
        "schema": 1,
        "file": str(source),
        "coder": found.coder,
        "model": header.model,
        "version": header.version,
        "channels": header.channels,
        "bits": header.bits,
        "rate": header.rate,
        "frames": header.frames,
        "block": header.block,
        "chunk": header.chunk,
        "raw_bytes": found.raw,
        "coded_bytes": found.size,
        "header_bytes": found.header_bytes,
        "metadata_bytes": header.before + header.behind,
        "metadata_coded_bytes": found.verbatim_bytes,
        "chunks": list(found.chunks),
        "bits_per_sample": found.bits_per_sample,
        "md5_of_samples": found.md5.hex(),
        "sha256_of_wav": found.sha256.hex(),
    }


def _lines(source: Path, found: Survey) -> list[str]:
    from codecctl.terminal import BARS, count_text, duration_text

    header = found.header
    seconds = header.frames / header.rate if header.rate else 0.0
    lines = [
        f"{source}: {found.coder}, format {header.version}",
        f"  sound     {count_text(header.channels, 'channel')}, {header.bits} bits, "
        f"{header.rate} Hz, {header.frames} frames ({duration_text(seconds)})",
        f"  size      {found.size} bytes for {found.raw} of WAV, "
        f"ratio {found.raw / found.size:.3f}",
        f"  parts     header {found.header_bytes}, metadata {found.verbatim_bytes} for "
        f"{header.before + header.behind}, {count_text(len(found.chunks), 'chunk')} "
        f"{sum(found.chunks)}",
    ]
    bits = found.bits_of_chunks
    if bits:
        lines.append(
            f"  bits      {found.bits_per_sample:.3f} a sample; chunks {min(bits):.3f} to "
            f"{max(bits):.3f}"
        )
        lines.append(
            f"            {_bars(bits, BARS, top=header.bits)} 0 to {header.bits} bits, by time"
        )
    lines.append(f"  MD5       {found.md5.hex()} of the samples")
    lines.append(f"  SHA-256   {found.sha256.hex()} of the WAV file")
    if found.needs_model:
        lines.append(f"  model     {header.model}")
    lines.append("  intact    every CRC is right; decode compares the hashes as well")
    return lines


def _bars(bits: list[float], glyphs: str, *, top: float) -> str:
    """Means of the chunks in at most `_COLUMNS` columns, from none to `top` bits."""
    columns = min(_COLUMNS, len(bits))
    cuts = [index * len(bits) // columns for index in range(columns + 1)]
    means = [sum(bits[a:b]) / (b - a) for a, b in pairwise(cuts)]
    return "".join(glyphs[min(len(glyphs) - 1, int(mean / top * len(glyphs)))] for mean in means)

"""A page of one item for a browser: hear reference and reconstruction in step, see both.

The page is one file without any request: audio (16 bit) and pictures are inside. The same page is
written to a file by a key, and handed out by the server of `--web`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from codecctl.dashboard.detail import list_previews
from codecctl.dashboard.difference import RANGE_DB, SPAN_DB, Spectra, spectra_of
from codecctl.dashboard.heard import Ears, Heard, listen
from codecctl.dashboard.origin import array_of_item
from codecctl.dashboard.sound import Pair, Samples, read_pair
from codecctl.dashboard.views import Preview
from codecctl.errors import CodecctlError, NotFoundError

COLUMNS, ROWS = 480, 120
_HOLE = "__ITEM__"
_NUMBER = re.compile(r"-?\d{1,4}(\.\d{1,4})?")


@dataclass(frozen=True)
class PageRequest:
    """Which page is asked for."""

    run: str
    step: int
    item: str
    ears: Ears

    @staticmethod
    def parse(path: Mapping[str, str], query: Mapping[str, str]) -> PageRequest:
        """From the parts of an address; names are looked up later, never joined to a path.

        Raises:
            NotFoundError: A number is none.
        """
        step = path.get("step", "")
        if not re.fullmatch(r"\d{1,12}", step):
            raise NotFoundError(f"step: found {step[:40]!r}, needed a number")
        numbers = {}
        for name in ("channel", "azimuth", "elevation"):
            text = query.get(name, "")
            if text and not _NUMBER.fullmatch(text):
                raise NotFoundError(f"{name}: found {text[:40]!r}, needed a number")
            numbers[name] = float(text) if text else None
        azimuth, elevation, channel = (
            numbers[name] for name in ("azimuth", "elevation", "channel")
        )
        direction = None
        if azimuth is not None:
            direction = (azimuth, elevation or 0.0)
        chosen = None if channel is None else max(0, int(channel) - 1)
        return PageRequest(
            path.get("run", ""), int(step), path.get("item", ""), Ears(chosen, direction)
        )


def address_of(preview: Preview, run: str, ears: Ears) -> str:
    """The address of a page below the token, relative to that of the terminal."""
    from urllib.parse import quote, urlencode

    query: dict[str, str] = {}
    if ears.direction is not None:
        query = {"azimuth": f"{ears.direction[0]:g}", "elevation": f"{ears.direction[1]:g}"}
    elif ears.channel is not None:
        query = {"channel": str(ears.channel + 1)}
    path = f"listen/{quote(run, safe='')}/{preview.step}/{quote(preview.item, safe='')}"
    return path + (f"?{urlencode(query)}" if query else "")


def page_of_run(runs: Path, wanted: PageRequest) -> str:
    """The page of an item of a run; run and item have to be among those that are there.

    Args:
        runs: The folder of runs.
        wanted: Which.

    Raises:
        NotFoundError: There is none.
        CodecctlError: Its files cannot be heard.
    """
    found = {path.parent.name: path.parent for path in runs.glob("*/profile.json")}
    run = found.get(wanted.run)
    if run is None:
        raise NotFoundError(f"{wanted.run[:80]}: no run of this name")
    for preview in list_previews(run):
        if (preview.step, preview.item) == (wanted.step, wanted.item):
            pair = read_pair(preview.reference, preview.reconstruction)
            return page_html(run, preview, pair, wanted.ears)
    raise NotFoundError(f"{wanted.item[:80]}: no preview of this name at step {wanted.step}")


def page_html(run: Path, preview: Preview, pair: Pair, ears: Ears) -> str:
    """The page as text.

    Args:
        run: The run folder.
        preview: Which item.
        pair: Its sounds.
        ears: Where one listens.

    Raises:
        CodecctlError: The sounds are no pair, or a beam is asked of something that is no array.
    """
    if pair.problem:
        raise CodecctlError(f"{preview.item} at step {preview.step}: {pair.problem}")
    array = array_of_item(run, preview.item, pair.reference.channels)
    heard = listen(pair, ears, array=array)
    spectra = spectra_of(
        heard.reference[0],
        heard.reconstruction[0],
        sample_rate=heard.sample_rate,
        columns=COLUMNS,
        rows=ROWS,
    )
    # "<" cannot end the script that holds it.
    item = json.dumps(_item(run.name, preview, heard, spectra), ensure_ascii=False).replace(
        "<", "\\u003c"
    )
    page = (files("codecctl.dashboard") / "item.html").read_text(encoding="utf-8")
    return page.replace(_HOLE, item)


def _item(run: str, preview: Preview, heard: Heard, spectra: Spectra) -> dict[str, object]:
    floor = spectra.top_db - RANGE_DB
    pictures = {
        "reference": _pixels((spectra.reference - floor) / RANGE_DB),
        "reconstruction": _pixels((spectra.reconstruction - floor) / RANGE_DB),
        "difference": _pixels(spectra.difference / (2 * SPAN_DB) + 0.5),
    }
    return {
        "title": f"{run} · step {preview.step} · {preview.item}",
        "label": heard.label,
        "sampleRate": heard.sample_rate,
        "channels": len(heard.reference),
        "gainDb": round(heard.gain_db, 1),
        "matchDb": round(heard.match_db, 1),
        "reference": _pcm(heard.reference),
        "reconstruction": _pcm(heard.reconstruction),
        "columns": COLUMNS,
        "rows": ROWS,
        "rangeDb": RANGE_DB,
        "spanDb": SPAN_DB,
        "pictures": pictures,
    }


def _pcm(audio: Samples) -> str:
    """Interleaved little-endian int16, base64."""
    scaled = np.rint(audio.T.clip(-1, 1) * 32767).astype("<i2")
    return base64.b64encode(scaled.tobytes()).decode()


def _pixels(shares: np.ndarray) -> str:
    """A byte a pixel, row by row, base64."""
    return base64.b64encode(np.rint(shares.clip(0, 1) * 255).astype(np.uint8).tobytes()).decode()

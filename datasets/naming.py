"""What a file's path says about a recording: its scene, its take, and what is known about it.

EigenScape is met in three spellings (`Beach.1.wav`, `Beach-01.wav`, `Beach-01-Raw.wav`), flat or
in scene folders with or without spaces. Any other tree is taken too: such recordings have no
scene and a take made from their path.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

SCENES = (
    "Beach",
    "BusyStreet",
    "Park",
    "PedestrianZone",
    "QuietStreet",
    "ShoppingCentre",
    "TrainStation",
    "Woodland",
)
"""Scene ids of EigenScape (Green & Murphy 2017)."""

EM32_CHANNELS = 32
AMBISONIC_CHANNELS = 25

_MAX_NAME_BYTES = 120
_SPELLINGS = {scene.lower(): scene for scene in SCENES} | {"shoppingcenter": "ShoppingCentre"}
_NUMBERED = re.compile(
    r"(?P<scene>[A-Za-z]+(?:[ ._-][A-Za-z]+)?)[ ._-]*(?P<number>[0-9]+)(?P<rest>.*)", re.DOTALL
)
_DOTTED = re.compile(r"[A-Za-z]+\.[0-9]+")
_RAW = re.compile(r"(?:^|[ ._-])raw$", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """What a path says about a recording."""

    scene: str
    """One of `SCENES`, or "" when the path names none."""
    take: str
    """Distinguishes the recordings of a scene; "1" for `Beach-01-Raw.wav`."""
    raw: bool
    """The name claims capsule signals (`-Raw`)."""
    dotted: bool = False
    """The name claims ambisonics (`Beach.1`)."""


def place(path: PurePosixPath) -> Place:
    """Scene and take of a recording, from its path below the ingested folder.

    The file's name decides before the folders above it, and of those the nearest.
    """
    raw = bool(_RAW.search(path.stem))
    stem = _RAW.sub("", path.stem) or path.stem
    if match := _NUMBERED.fullmatch(stem):
        scene = scene_id(match["scene"])
        if scene:
            rest = sanitized(match["rest"]).strip("-._")
            take = _number(match["number"]) + (f"-{rest}" if rest else "")
            return Place(scene, take, raw, dotted=bool(_DOTTED.fullmatch(path.stem)))
    if scene := scene_id(stem):
        return Place(scene, "1", raw)
    folders = path.parts[:-1]
    for depth in range(len(folders), 0, -1):
        if scene := scene_id(folders[depth - 1]):
            return Place(scene, _take((*folders[depth:], stem)), raw)
    return Place("", _take((*folders, path.stem)), raw=raw)


def scene_id(words: str) -> str:
    """The scene that these words spell, in any case and with any separator, else ""."""
    return _SPELLINGS.get(re.sub(r"[ ._-]", "", words).lower(), "")


def array_of(channels: int) -> str:
    """The microphone array or signal format that a channel count suggests.

    A guess: 32 channels are an em32 and 25 are fourth-order ambisonics in every product of
    EigenScape; any other count says nothing.
    """
    if channels == EM32_CHANNELS:
        return "em32"
    if channels == AMBISONIC_CHANNELS:
        return "ambisonic-ACN-SN3D"
    return f"unknown-{channels}ch"


def channel_labels(array: str, channels: int) -> tuple[str, ...]:
    """A label for each channel, counted as the field counts: capsules from 1, ACN from 0."""
    if array == "em32":
        return tuple(f"capsule {number}" for number in range(1, channels + 1))
    if array.startswith("ambisonic"):
        return tuple(f"ACN {number}" for number in range(channels))
    return tuple(f"channel {number}" for number in range(1, channels + 1))


def sanitized(text: str) -> str:
    """Text as part of a file name: letters, digits and `-_.+`, everything else becomes `-`."""
    plain = unicodedata.normalize("NFC", text)
    kept = "".join(c if c.isalnum() or c in "-_.+" else "-" for c in plain)
    return re.sub(r"-{2,}", "-", kept)


def _number(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _take(parts: tuple[str, ...]) -> str:
    if len(parts) == 1 and parts[0].isdecimal():
        return _number(parts[0])
    text = "_".join(sanitized(part).strip("-.") or "-" for part in parts)
    if len(text.encode()) <= _MAX_NAME_BYTES:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return text.encode()[: _MAX_NAME_BYTES - 9].decode(errors="ignore") + "-" + digest

"""Published checksums of source files: lists beside the audio, soundata's index, EigenScape's own.

A list is what md5sum, sha1sum and sha256sum write, in either of their forms:

    5612673e79f8d586ba47d43dc902d5da  Beach-01-Raw.wav
    MD5 (Beach-01-Raw.wav) = 5612673e79f8d586ba47d43dc902d5da
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from codecctl.datasets.discovery import shown
from codecctl.datasets.eigenscape import published_md5
from codecctl.datasets.naming import Place
from codecctl.errors import DataError, NotFoundError

MOST_BYTES = 1 << 24
_MOST_LINES = 200_000
_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}
_STRENGTH = ("md5", "sha1", "sha256")
_PLAIN = re.compile(r"(?P<escaped>\\?)(?P<digits>[0-9A-Fa-f]{32,64}) [ *](?P<name>.+)")
_TAGGED = re.compile(
    r"(?P<escaped>\\?)(?:MD5|SHA1|SHA256) ?\((?P<name>.+)\) ?= ?(?P<digits>[0-9A-Fa-f]{32,64})"
)


class Checksums:
    """What files of a source should hash to.

    Args:
        eigenscape: The source is EigenScape's: its published checksums count, too.
    """

    def __init__(self, *, eigenscape: bool) -> None:
        self._eigenscape = eigenscape
        self._by_path: dict[str, dict[str, str]] = {}
        self._by_name: dict[str, dict[str, str]] = {}

    def add_list(self, path: Path, *, below: str = "") -> None:
        """Read a list, or an index of soundata (`.json`).

        Args:
            path: The file.
            below: Folder that its names are relative to, itself relative to the source.

        Raises:
            NotFoundError: There is no such file.
            DataError: It is no such list; names the line.
        """
        for line, name, digits in _entries(path):
            algorithm = _ALGORITHMS.get(len(digits))
            if algorithm is None:
                raise DataError(
                    f"{path}: line {line}: {len(digits)} digits are no md5, sha1, sha256"
                )
            full = PurePosixPath(below) / name.replace("\\", "/")
            for table, key in ((self._by_path, str(full)), (self._by_name, full.name)):
                known = table.setdefault(key, {}).setdefault(algorithm, digits.lower())
                if known != digits.lower() and table is self._by_path:
                    raise DataError(
                        f"{path}: line {line}: {shown(name)} is listed with another sum"
                    )
                if known != digits.lower():
                    table[key][algorithm] = ""  # two folders have a file of this name

    def expected(self, source_name: str, where: Place, channels: int) -> str:
        """`md5:<hex>`, `sha1:<hex>` or `sha256:<hex>`; "" where none is published.

        Args:
            source_name: Path below the source.
            where: What that path says.
            channels: Of the file.
        """
        listed = self._by_path.get(source_name)
        listed = listed or self._by_name.get(PurePosixPath(source_name).name, {})
        for algorithm in reversed(_STRENGTH):
            if listed.get(algorithm):
                return f"{algorithm}:{listed[algorithm]}"
        return published_md5(where, channels) if self._eigenscape else ""


def find_lists(companions: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """The checksum lists among the files beside the audio."""
    return [path for path in companions if re.match(r"(md5|sha1|sha256)", _kind(path))]


def _kind(path: PurePosixPath) -> str:
    name = path.name.lower()
    return (
        name if name.startswith(("md5sums", "sha1sums", "sha256sums")) else path.suffix[1:].lower()
    )


def _entries(path: Path) -> list[tuple[int, str, str]]:
    """Line, name and digits of every entry."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path}: found {size} bytes, needed a list of {MOST_BYTES} at most")
        text = path.read_bytes().decode(errors="surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path}: no such checksum list") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix.lower() == ".json":
        return _soundata(path, text)
    entries = []
    for number, line in enumerate(text.splitlines()[: _MOST_LINES + 1], 1):
        stripped = line.lstrip("\ufeff").strip()
        if not stripped or stripped.startswith(("#", ";")):
            continue
        match = _PLAIN.fullmatch(stripped) or _TAGGED.fullmatch(stripped)
        if match is None or number > _MOST_LINES:
            raise DataError(f"{path}: line {number}: needed a checksum and a file name")
        name = match["name"]
        if match["escaped"]:
            name = name.replace("\\n", "\n").replace("\\\\", "\\")
        entries.append((number, name.removeprefix("./"), match["digits"]))
    return entries


def _soundata(path: Path, text: str) -> list[tuple[int, str, str]]:
    """Entries of `{"clips": {id: {"audio": [name, md5]}}}`."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged, not JSON ({error})") from error
    clips = content.get("clips") if isinstance(content, dict) else None
    entries = []
    for clip in clips.values() if isinstance(clips, dict) else ():
        audio = clip.get("audio") if isinstance(clip, dict) else None
        if isinstance(audio, list) and len(audio) == 2 and all(isinstance(x, str) for x in audio):
            entries.append((1, audio[0], audio[1]))
    if not entries:
        raise DataError(f"{path}: no index of soundata; needed clips with audio and md5")
    return entries

"""Finds audio files below a folder and says what else lies there."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecctl.errors import DataError, NotFoundError

AUDIO_SUFFIXES = frozenset(
    {".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".au", ".snd"}
    | {".caf", ".ogg", ".oga", ".opus"}
)
"""Lower-case endings of what libsndfile reads without loss, and Ogg."""

LOSSY_SUFFIXES = frozenset({".mp3", ".m4a", ".aac", ".wma", ".mp4", ".ac3", ".amr"})
ARCHIVE_SUFFIXES = frozenset({".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"})

_COMPANION_SUFFIXES = frozenset(
    {".csv", ".md5", ".sha1", ".sha256", ".md5sum", ".sha1sum", ".sha256sum"}
)
_COMPANION_STARTS = ("license", "licence", "copying", "readme", "citation")
_COMPANION_NAMES = frozenset(
    {f"{kind}sums{end}" for kind in ("md5", "sha1", "sha256") for end in ("", ".txt")}
)
_MOST_COMPANIONS = 1000
_RUN_FILES = frozenset({"profile.json", "metrics.jsonl"})


@dataclass(frozen=True)
class Problem:
    """A path below the source that is not a recording, and why."""

    path: str
    """Relative to the searched folder, with `/`."""
    reason: str


def shown(path: PurePosixPath | str) -> str:
    """A path as text of one line that every stream can print, whatever bytes it holds."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True)
class Discovery:
    """What lies below a folder; every tuple is in the order of the paths."""

    source: Path
    """What was searched: a folder or one file."""
    folder: Path
    """What the paths below are relative to."""
    files: tuple[PurePosixPath, ...]
    """Candidate recordings, not opened yet."""
    broken: tuple[Problem, ...]
    """Things with an audio name that cannot be audio: dangling links, folders, devices."""
    left_out: tuple[Problem, ...]
    """Things that are not taken and do no harm: archives, lossy files, runs."""
    companions: tuple[PurePosixPath, ...]
    """Tables, checksum lists, licences and readmes, the first thousand."""
    others: Mapping[str, int]
    """Number of files that are no audio by their names, by ending in lower case."""
    num_hidden: int
    """Entries whose name starts with a dot, such as the `._*` files of macOS; skipped."""


def discover(source: Path) -> Discovery:
    """Find candidate recordings at or below a path; links to folders are followed once.

    Raises:
        NotFoundError: There is nothing at this path.
        DataError: The path is a single file that is not audio by its name, or an archive.
    """
    try:
        if source.is_dir():
            return _Search(source).run()
        if source.is_file():
            return _single(source)
    except PermissionError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror}") from error
    if source.is_symlink():
        raise NotFoundError(f"{source}: a link to {source.readlink()}, which does not exist")
    raise NotFoundError(f"{source}: no such file or folder; give the folder of the recordings")


def _single(source: Path) -> Discovery:
    suffix = source.suffix.lower()
    if suffix in AUDIO_SUFFIXES:
        return Discovery(source, source.parent, (PurePosixPath(source.name),), (), (), (), {}, 0)
    if suffix in ARCHIVE_SUFFIXES:
        raise DataError(f"{source}: an archive; unpack it and give the folder")
    raise DataError(f"{source}: not audio by its name; known: {' '.join(sorted(AUDIO_SUFFIXES))}")


class _Search:
    """One walk over a tree and what it has met so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[tuple[int, int]] = set()
        self._files: list[PurePosixPath] = []
        self._broken: list[Problem] = []
        self._left_out: list[Problem] = []
        self._companions: list[PurePosixPath] = []
        self._others: Counter[str] = Counter()
        self._num_hidden = 0

    def run(self) -> Discovery:
        self._walk(self._folder, PurePosixPath())
        return Discovery(
            source=self._folder,
            folder=self._folder,
            files=tuple(sorted(self._files)),
            broken=tuple(sorted(self._broken, key=lambda problem: problem.path)),
            left_out=tuple(sorted(self._left_out, key=lambda problem: problem.path)),
            companions=tuple(sorted(self._companions[:_MOST_COMPANIONS])),
            others=dict(sorted(self._others.items())),
            num_hidden=self._num_hidden,
        )

    def _walk(self, folder: Path, below: PurePosixPath) -> None:
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._broken.append(Problem(shown(below), f"cannot be listed: {error.strerror}"))
            return
        if (status.st_dev, status.st_ino) in self._seen:
            return  # a link back up, or two links to one folder
        self._seen.add((status.st_dev, status.st_ino))
        if _RUN_FILES.issubset(entry.name for entry in entries):
            self._left_out.append(
                Problem(shown(below), "a training run; its previews are no source")
            )
            return
        for entry in entries:
            self._meet(entry, below / entry.name)

    def _meet(self, entry: os.DirEntry[str], below: PurePosixPath) -> None:
        suffix = below.suffix.lower()
        if entry.name.startswith("."):
            self._num_hidden += 1
            return
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            if suffix in AUDIO_SUFFIXES:
                self._broken.append(Problem(shown(below), _unreachable(entry, error)))
            return
        if stat.S_ISDIR(mode):
            before = len(self._files)
            self._walk(Path(entry.path), below)
            if suffix in AUDIO_SUFFIXES and len(self._files) == before:
                reason = "a folder with the name of an audio file, and none in it"
                self._broken.append(Problem(shown(below), reason))
        elif suffix in ARCHIVE_SUFFIXES:
            self._left_out.append(Problem(shown(below), "an archive; unpack it to ingest it"))
        elif suffix in LOSSY_SUFFIXES:
            self._left_out.append(Problem(shown(below), f"{suffix[1:]} is lossy and not read"))
        elif suffix in AUDIO_SUFFIXES and not stat.S_ISREG(mode):
            self._broken.append(Problem(shown(below), "not a regular file"))
        elif suffix in AUDIO_SUFFIXES:
            self._files.append(below)
        else:
            self._others[suffix or "no ending"] += 1
            if _is_companion(below) and stat.S_ISREG(mode):
                self._companions[_MOST_COMPANIONS:] = []
                self._companions.append(below)


def _is_companion(path: PurePosixPath) -> bool:
    name = path.name.lower()
    named = name in _COMPANION_NAMES or name.startswith(_COMPANION_STARTS)
    return named or path.suffix.lower() in _COMPANION_SUFFIXES


def _unreachable(entry: os.DirEntry[str], error: OSError) -> str:
    if entry.is_symlink() and isinstance(error, FileNotFoundError):
        return f"a link to {shown(str(Path(entry.path).readlink()))}, which does not exist"
    return f"cannot be opened: {error.strerror}"

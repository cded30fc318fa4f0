"""Which published data set a folder holds, under what licence, and how to cite it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from codecctl.datasets.discovery import Discovery, shown
from codecctl.datasets.eigenscape import TAKES
from codecctl.datasets.naming import AMBISONIC_CHANNELS, EM32_CHANNELS, Place, sanitized
from codecctl.datasets.store import Corpus

_RENDERED_KEYS = {"seed", "seconds", "names", "sources", "renderer"}
_RENDERED_NAME = "corpus.json"
_MOST_BYTES = 1 << 16


@dataclass(frozen=True)
class Layout:
    """A data set that is known by the names and channel counts of its files."""

    id: str
    title: str
    licence: str
    citation: str
    url: str
    is_one: Callable[[Place, int], bool]
    """Whether a file at this place with so many channels is of this data set."""


def _is_eigenscape(where: Place, channels: int) -> bool:
    numbered = where.take in [str(number) for number in range(1, TAKES + 1)]
    return bool(where.scene) and numbered and channels in (EM32_CHANNELS, AMBISONIC_CHANNELS)


CORPORA: dict[str, Layout] = {
    "eigenscape": Layout(
        id="eigenscape",
        title="EigenScape",
        licence="CC BY 4.0",
        citation=(
            "Green and Murphy, EigenScape: A Database of Spatial Acoustic Scene Recordings, "
            "Applied Sciences 7(11):1204, 2017, doi:10.3390/app7111204"
        ),
        url="https://doi.org/10.5281/zenodo.1012808",
        is_one=_is_eigenscape,
    ),
}
"""Known layouts by id; the first that half of the files fit is taken."""


def corpus_of(found: Discovery, files: Sequence[tuple[Place, int]], *, wanted: str = "") -> Corpus:
    """The data set that an ingested folder holds.

    A corpus of `data synth` says so itself; a known layout is recognized by the names and channel
    counts of most files; any other folder is a corpus of its own, whose licence and readme files
    are noted by name.

    Args:
        found: The folder.
        files: Place and channels of every recording in it.
        wanted: Id that the user gave; "" to find one. The id of a known layout makes it that.
    """
    source = found.source.resolve()
    where, name = str(source), source.stem if source.is_file() else source.name
    own = wanted or sanitized(name).strip("-.").lower() or "corpus"
    rendered = _rendered(found.folder)
    if rendered is not None and wanted not in CORPORA:
        own += "-rendered" if own in CORPORA else ""  # nobody's licence or citation
        return replace(rendered, id=own, folder=where)
    layout = CORPORA.get(wanted) or next(
        (one for one in CORPORA.values() if not wanted and _fits(one, files)), None
    )
    if layout is not None:
        return Corpus(layout.id, where, layout.title, layout.licence, layout.citation, layout.url)
    licence = _first(found.companions, ("licen", "copying"))
    citation = _first(found.companions, ("citation", "readme"))
    return Corpus(own, where, shown(name), licence, citation, "")


def joined(old: Iterable[Corpus], new: Corpus, *, used: set[str]) -> tuple[Corpus, ...]:
    """The corpora of a store after one more ingest, sorted by id.

    Args:
        old: As the index lists them.
        new: That was ingested; replaces what the index says of the same id.
        used: Ids of the recordings that the store holds.
    """
    rows = {corpus.id: corpus for corpus in old if corpus.id in used}
    before = rows.get(new.id)
    if before is not None and Path(before.folder) in Path(new.folder).parents:
        new = replace(new, folder=before.folder)  # a part of it was ingested again
    if new.id in used:
        rows[new.id] = new
    for name in used - set(rows) - {""}:
        rows[name] = Corpus(name, "", name, "", "", "")  # its index was lost
    return tuple(rows[name] for name in sorted(rows))


def _fits(layout: Layout, files: Sequence[tuple[Place, int]]) -> bool:
    number = sum(layout.is_one(where, channels) for where, channels in files)
    return number > 0 and 2 * number >= len(files)


def _rendered(folder: Path) -> Corpus | None:
    """The corpus that `data synth` wrote here, by its settings file."""
    path = folder / _RENDERED_NAME
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        settings = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None  # somebody else's file of this name
    if not isinstance(settings, dict) or not settings.keys() >= _RENDERED_KEYS:
        return None
    title = f"rendered by codecctl data synth, seed {shown(str(settings['seed']))}: simulated audio"
    return Corpus("", "", title, "", "", "")


def _first(companions: Sequence[PurePosixPath], starts: tuple[str, ...]) -> str:
    """`see <file>` for the first file of the source's own folder whose name starts so."""
    own = [path for path in companions if len(path.parts) == 1]
    for start in starts:
        for path in own:
            if path.name.lower().startswith(start):
                return f"see {shown(path)}"
    return ""

"""Every file below a source, opened: what can be stored, and what is known about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from codecctl.datasets.audiofile import AudioFileError, probe
from codecctl.datasets.checksums import Checksums, find_lists
from codecctl.datasets.corpora import CORPORA, corpus_of
from codecctl.datasets.discovery import Discovery, Problem, shown
from codecctl.datasets.eigenscape import missing_takes, oddity
from codecctl.datasets.ingest_names import Candidate
from codecctl.datasets.metadata import Described, Row, find_table, join, read_table
from codecctl.datasets.naming import AMBISONIC_CHANNELS, EM32_CHANNELS, Place, array_of, place
from codecctl.datasets.store import Corpus
from codecctl.errors import DataError

EIGENSCAPE = CORPORA["eigenscape"].id
AUTO = "auto"
_SHOWN = 5


@dataclass(frozen=True)
class Rules:
    """What the user asked for."""

    rates: tuple[int | None, ...] = (24_000,)
    """Hz of each store, the first has the plain name; None keeps the rate of the source."""
    dtype: str = "int16"
    """Of the stores: one of `STORE_DTYPES`."""
    min_seconds: float = 1.0
    """Shorter files are left out."""
    replace: bool = False
    """Files that changed since they were stored are stored again."""
    reader: str = "auto"
    source_hash: str = "xxh3-128"
    corpus: str = ""
    """Id of the data set; "" to recognize it."""
    metadata: Path | None = None
    """A table of metadata; None to look for one beside the audio."""
    verify: str = ""
    """Compare sources with published checksums: `auto` for those beside the audio or known, or a
    list; "" compares nothing."""
    shard: tuple[int, int] | None = None
    """Number, from 1, and total of the parts of an ingest that many machines do."""


@dataclass(frozen=True)
class Survey:
    """What lies below a source."""

    candidates: tuple[Candidate, ...]
    refused: tuple[Problem, ...]
    left_out: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    """Faults of files that are taken all the same."""
    corpus: Corpus
    rows: tuple[Row, ...] | None = None
    """Of a metadata table; None where there is none."""
    expected: Mapping[str, str] = field(default_factory=dict)
    """Published checksums by source name, where they are to be compared."""
    notes: tuple[str, ...] = ()
    """What the user should know and no file is to blame for."""


def survey(found: Discovery, rules: Rules, *, known_corpus: str = "") -> Survey:
    """Open the header of every candidate, and read what lies beside them.

    Args:
        found: The files below the source.
        rules: What the user asked for.
        known_corpus: Id of what was ingested from this source before: files that are added to it
            do not make it another.

    Raises:
        NotFoundError: A table or list that the user named does not exist.
        DataError: It is damaged.
    """
    candidates: list[Candidate] = []
    refused, left_out = list(found.broken), list(found.left_out)
    warnings: list[Problem] = []
    for path in found.files:
        name = shown(path)
        try:
            audio = probe(found.folder / path)
        except AudioFileError as error:
            refused.append(Problem(name, error.reason))
            continue
        if audio.seconds < rules.min_seconds:
            reason = f"{audio.seconds:.3g} s is shorter than --min-seconds {rules.min_seconds:g}"
            left_out.append(Problem(name, f"{reason} (0 takes everything)"))
            continue
        warnings.extend(Problem(name, fault) for fault in audio.warnings)
        candidates.append(Candidate(audio, name, place(path), array_of(audio.channels)))
    files = [(item.where, item.audio.channels) for item in candidates]
    corpus = corpus_of(found, files, wanted=rules.corpus or known_corpus)
    opened = Survey(
        candidates=tuple(replace(item, corpus=corpus.id) for item in candidates),
        refused=tuple(refused),
        left_out=tuple(left_out),
        warnings=(*warnings, *_faults(candidates, is_eigenscape=corpus.id == EIGENSCAPE)),
        corpus=corpus,
    )
    return _with_checksums(found, rules, _with_table(found, rules, opened))


def missing(found: Survey, held: Sequence[Place]) -> str:
    """Which takes of EigenScape neither the source nor the store has, "" for other corpora."""
    if found.corpus.id != EIGENSCAPE or not found.candidates:
        return ""
    return missing_takes([*(item.where for item in found.candidates), *held])


def _with_table(found: Discovery, rules: Rules, opened: Survey) -> Survey:
    path = rules.metadata or find_table(found.folder, found.companions)
    if path is None:
        return opened
    try:
        rows = read_table(path)
    except DataError as error:
        if rules.metadata is not None:
            raise
        problem = Problem(shown(path.name), f"no metadata is joined: {error}")
        return replace(opened, warnings=(*opened.warnings, problem))
    described = [Described("", item.source_name, item.where) for item in opened.candidates]
    joined = join(rows, described)
    number = len(described) - len(joined.without)
    notes = [f"{shown(path.name)}: describes {number} of {len(described)} recordings"]
    for what, names in (("no recording for", joined.unused), ("no row for", joined.without)):
        if names:
            notes.append(f"{shown(path.name)}: {what} {listing(names)}")
    return replace(opened, rows=rows, notes=(*opened.notes, *notes))


def _with_checksums(found: Discovery, rules: Rules, opened: Survey) -> Survey:
    lists = find_lists(found.companions)
    is_named = rules.verify not in ("", AUTO)
    checksums = Checksums(eigenscape=opened.corpus.id == EIGENSCAPE and not is_named)
    warnings = list(opened.warnings)
    if is_named:
        checksums.add_list(Path(rules.verify))
    for path in () if is_named else lists:
        warnings.extend(_add_list(checksums, found.folder, path))
    expected = {
        item.source_name: checksum
        for item in opened.candidates
        if (checksum := checksums.expected(item.source_name, item.where, item.audio.channels))
    }
    number, total = len(expected), len(opened.candidates)
    if rules.verify:
        without = [one.source_name for one in opened.candidates if one.source_name not in expected]
        note = f"checksums are published for {number} of {total} files"
        note += f"; none for {listing(without)}" if without else ""
        return replace(
            opened, warnings=tuple(warnings), expected=expected, notes=(*opened.notes, note)
        )
    if expected:
        note = (
            f"checksums are published for {number} of {total} files: --verify-source auto compares"
        )
        return replace(opened, warnings=tuple(warnings), notes=(*opened.notes, note))
    return opened


def _add_list(checksums: Checksums, folder: Path, path: PurePosixPath) -> list[Problem]:
    try:
        checksums.add_list(folder / path, below=str(path.parent))
    except DataError as error:
        return [Problem(shown(path), f"its checksums are not used: {error}")]
    return []


def _faults(candidates: Sequence[Candidate], *, is_eigenscape: bool) -> list[Problem]:
    """Known faults of EigenScape, and names that do not fit what they hold."""
    faults = [
        Problem(item.source_name, fault)
        for item in candidates
        if (fault := oddity(item.where, item.audio.channels, is_eigenscape=is_eigenscape))
    ]
    if is_eigenscape:
        exchanged = {fault.path for fault in faults}
        faults += [
            *_two_products(candidates),
            *_spellings([item for item in candidates if item.source_name not in exchanged]),
        ]
    return faults


def _two_products(candidates: Sequence[Candidate]) -> list[Problem]:
    """One warning for all takes that are here as capsule signals and as ambisonics."""
    by_take: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for item in candidates:
        by_take[item.where.scene, item.where.take].setdefault(item.audio.channels, item.source_name)
    both = [
        files for files in by_take.values() if {AMBISONIC_CHANNELS, EM32_CHANNELS} <= set(files)
    ]
    if not both:
        return []
    name = both[0][AMBISONIC_CHANNELS]
    what = "1 take is" if len(both) == 1 else f"{len(both)} takes are"
    return [
        Problem(
            name,
            f"the take of {both[0][EM32_CHANNELS]} as ambisonics: {what} here in both products of "
            "EigenScape, stored as two recordings each; a split keeps them together",
        )
    ]


def _spellings(candidates: Sequence[Candidate]) -> list[Problem]:
    """One warning where the files of one product are spelled in several ways."""
    ways: dict[str, dict[str, str]] = defaultdict(dict)
    for item in candidates:
        kind = "Raw" if item.where.raw else "." if item.where.dotted else "-"
        ways[item.array].setdefault(kind, item.source_name)
    return [
        Problem(
            max(names.values()),
            f"EigenScape spells its files in {len(names)} ways here: "
            f"{', '.join(sorted(names.values()))}; all are understood",
        )
        for names in ways.values()
        if len(names) > 1
    ]


def listing(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

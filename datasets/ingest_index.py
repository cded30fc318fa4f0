"""The index of a store that is being written: recordings, corpora and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codecctl.datasets.corpora import joined
from codecctl.datasets.ingest_plan import StorePlan
from codecctl.datasets.ingest_survey import Survey
from codecctl.datasets.ingest_target import Target
from codecctl.datasets.metadata import join
from codecctl.datasets.shards import ShardNote, write_note
from codecctl.datasets.store import (
    Corpus,
    Index,
    RecordingInfo,
    store_dtype,
    write_index,
)


class IndexWriter:
    """Writes the index of one store whenever it has to change.

    Args:
        target: The store as the ingest found it.
        plan: What becomes of it.
        found: The files below the source.
        digest: Of all files of the source, for shards.
        name: Of the store.
    """

    def __init__(
        self, target: Target, plan: StorePlan, found: Survey, *, digest: str, name: str
    ) -> None:
        self.folder: Path = target.folder
        self.stored = target.stored
        """Whole recordings that were there."""
        self.listed = target.listed
        """Those of them that the index listed."""
        self._target, self._plan, self._found = target, plan, found
        self._digest, self._name = digest, name

    def is_needed(self, recordings: Mapping[str, RecordingInfo]) -> bool:
        """Whether the store says something else than it should.

        Args:
            recordings: All that it holds.
        """
        note = self._note(recordings)
        return self._differs(recordings) or (note is not None and note != self._target.note)

    def write(self, recordings: Mapping[str, RecordingInfo]) -> None:
        """Write the index.

        Raises:
            CodecctlError: The disk does not take it.
        """
        rate, dtype = _kind(recordings)
        write_index(
            self.folder,
            name=self._name,
            sample_rate=rate,
            dtype=dtype,
            recordings=tuple(recordings.values()),
            corpora=self._corpora(recordings),
            metadata=self._metadata(recordings),
        )

    def finish(self, recordings: Mapping[str, RecordingInfo], *, whole: bool) -> None:
        """Write the index where it has to change, and then that a shard is complete.

        Args:
            recordings: All that the store holds.
            whole: No file failed in a way that a second run could mend.

        Raises:
            CodecctlError: The disk does not take it.
        """
        if self._differs(recordings):
            self.write(recordings)
        note = self._note(recordings)
        if whole and note is not None and note != self._target.note:
            write_note(self.folder, note)

    def _differs(self, recordings: Mapping[str, RecordingInfo]) -> bool:
        if not recordings:
            return False
        index = self._target.index
        rows = tuple(sorted(recordings.values(), key=lambda row: row.name))
        wanted = Index(
            self._name if index is None else index.name,
            *_kind(recordings),
            rows,
            self._corpora(recordings),
            self._metadata(recordings),
        )
        return index != wanted

    def _corpora(self, recordings: Mapping[str, RecordingInfo]) -> tuple[Corpus, ...]:
        before = () if self._target.index is None else self._target.index.corpora
        used = {row.corpus for row in recordings.values()}
        return joined(before, self._found.corpus, used=used)

    def _metadata(self, recordings: Mapping[str, RecordingInfo]) -> dict[str, dict[str, str]]:
        """What the index said, and what a table beside the audio says now."""
        before = {} if self._target.index is None else self._target.index.metadata
        rows = {name: dict(row) for name, row in before.items() if name in recordings}
        if self._found.rows is None:
            return rows
        described = [one for one in self._plan.described if one.name in recordings]
        for one in described:
            rows.pop(one.name, None)
        return {**rows, **join(self._found.rows, described).metadata}

    def _note(self, recordings: Mapping[str, RecordingInfo]) -> ShardNote | None:
        shard = self._plan.goal.shard
        if shard is None:
            return None
        return ShardNote(shard, self._digest, tuple(sorted(recordings)))


def _kind(recordings: Mapping[str, RecordingInfo]) -> tuple[int, str]:
    """Rate and dtype of a store; a source without a usable file has none of its own."""
    row = next(iter(recordings.values()))
    return row.sample_rate, store_dtype(row.dtype)

"""What the views of a source have in common: all that they pass on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from codecctl.datasets.closing import Closing
from codecctl.datasets.store import AudioSource, Corpus, RecordingInfo

Seen = TypeVar("Seen", bound=AudioSource)


class View(Closing, Generic[Seen]):
    """A source whose recordings are read in another way, under the names that they have.

    Args:
        source: Opened; closed with the view.
        recordings: As the view shows them.
    """

    def __init__(self, source: Seen, recordings: Sequence[RecordingInfo]) -> None:
        self.source = source
        self.recordings = tuple(recordings)
        self._by_name = {info.name: info for info in self.recordings}

    @property
    def path(self) -> Path:
        """Folder of the source."""
        return self.source.path

    @property
    def name(self) -> str:
        """Name of the source."""
        return self.source.name

    @property
    def dtype(self) -> str:
        """`float32`, whatever the source holds: of what `read` returns."""
        return "float32"

    @property
    def corpora(self) -> tuple[Corpus, ...]:
        """The data sets that recordings came from."""
        return self.source.corpora

    @property
    def metadata(self) -> Mapping[str, Mapping[str, str]]:
        """What is known about a recording, by its name."""
        return self.source.metadata

    def recording(self, name: str) -> RecordingInfo:
        """What is known of a recording, as the view shows it.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._by_name.get(name) or self.source.recording(name)

    def close(self) -> None:
        """Close the source; a later read opens what it needs again."""
        self.source.close()

"""What samplers and trainings ask of a store, whatever the rate that its files hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np

from codecctl.datasets.store.layout import Corpus, RecordingInfo


class AudioSource(Protocol):
    """Recordings of one rate, any span of any channels of which can be read.

    A `Store` is one, and so is the view of it at another rate (`datasets/rated.py`).
    """

    @property
    def path(self) -> Path:
        """Folder of the store."""

    @property
    def name(self) -> str:
        """Name of the store."""

    @property
    def sample_rate(self) -> int:
        """Hz, of what `read` returns and of what `recordings` count their frames in."""

    @property
    def dtype(self) -> str:
        """Of the samples before they become float32."""

    @property
    def recordings(self) -> tuple[RecordingInfo, ...]:
        """Sorted by name."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides what `read` returns."""

    @property
    def corpora(self) -> tuple[Corpus, ...]:
        """The data sets that the recordings came from."""

    @property
    def metadata(self) -> Mapping[str, Mapping[str, str]]:
        """What is known about some recordings, by name and column."""

    def recording(self, name: str) -> RecordingInfo:
        """The row of a recording.

        Raises:
            NotFoundError: There is none of this name.
        """

    def read(
        self,
        name: str,
        start: int,
        frames: int,
        channels: Sequence[int],
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Read a span of some channels.

        Args:
            name: Recording.
            start: First frame.
            frames: Frames to read.
            channels: Indices from 0, in the order of the result.
            out: (len(channels), frames) float32 with contiguous rows, to read into.

        Returns:
            (len(channels), frames) float32, full scale at [-1, 1].

        Raises:
            DataError: The span or a channel is outside the recording, or the file is too short.
        """

    def will_need(self, name: str, start: int, frames: int, channels: Sequence[int]) -> None:
        """Tell the system that a span is read next."""

    def close(self) -> None:
        """Close every file; a later read opens what it needs again."""

    def __enter__(self) -> AudioSource: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

"""Audio of the fixed items that people listen to while a run trains.

previews/reference/item-000.wav         once per run
previews/step-000000500/item-000.wav    the reconstruction, one channel for each capsule
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from codecctl.datasets.batch import Batch
from codecctl.engine.feed import Feed
from codecctl.engine.rundir import step_name
from codecctl.errors import CodecctlError

SUBTYPE = "PCM_24"
"""A quiet beach keeps its detail, and every player reads it; beyond full scale it clips."""
_TEMPORARY = ".tmp-"


class Previews:
    """Writes references and reconstructions of a few fixed items.

    Args:
        folder: `previews/` of the run.
        batches: The batches that hold the items, one item each.
        device: Where the networks live.
    """

    def __init__(
        self, folder: Path, batches: Callable[[], Sequence[Batch]], *, device: torch.device
    ) -> None:
        self._folder = folder
        self._batches = batches
        self._feed = Feed(device)

    def write(self, step: int, reconstruct: Callable[[Tensor], Tensor]) -> int:
        """Write the reconstructions of a step, and the references if they are not there.

        Args:
            step: Updates done.
            reconstruct: (B, M, T) to (B, M, T) on the device.

        Returns:
            How many items were written.
        """
        batches = self._batches()
        if not batches:
            return 0
        for leftover in self._folder.glob(f"{_TEMPORARY}*"):  # of a job that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        if len(list((self._folder / "reference").glob("*.wav"))) < len(batches):
            audio = [(batch.audio[0], batch.sample_rate) for batch in batches]
            _write_folder(self._folder / "reference", audio)
        estimates = []
        for batch in batches:
            with torch.no_grad():
                estimate = reconstruct(self._feed.audio(batch))
            estimates.append((estimate[0].float().cpu().numpy(), batch.sample_rate))
        _write_folder(self._folder / step_name(step), estimates)
        return len(estimates)


def _write_folder(folder: Path, items: Sequence[tuple[np.ndarray, int]]) -> None:
    """Write one multichannel file for each (M, T) array; the folder appears whole."""
    beside = folder.with_name(f"{_TEMPORARY}{folder.name}")
    try:
        beside.mkdir()
        for index, (audio, sample_rate) in enumerate(items):
            file = io.BytesIO()  # libsndfile does not say why a file cannot be written
            soundfile.write(
                file, audio.T.clip(-1.0, 1.0), sample_rate, subtype=SUBTYPE, format="WAV"
            )
            (beside / f"item-{index:03d}.wav").write_bytes(file.getbuffer())
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise CodecctlError(
            f"{folder}: preview not written: {error.strerror}; free some space and use --resume"
        ) from error

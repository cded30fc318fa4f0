"""Audio of the fixed items that people listen to while a run trains.

previews/reference/item-000.wav         once per run
previews/step-000000500/item-000.wav    the reconstruction, one channel for each capsule

Where capsules are coded apart by two residual codebooks, also what exchanged first codes sound
like; the reference of each is that of the name before the first dot:

previews/step-000000500/item-000.swap.wav       two capsules A and B: the first codes of B with the
                                                second ones of A, then of A with those of B
previews/step-000000500/whole-000.wav           all capsules of an array, each with codes of its own
previews/step-000000500/whole-000.shared.wav    the same with one stream of first codes for all

Beside each reconstruction of a codec stand its codes, `item-000.codes.json`: see `preview_codes`.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile
import torch
from torch import Tensor

from codecctl.datasets.batch import Batch
from codecctl.engine.feed import Feed
from codecctl.engine.preview_codes import SUFFIX, PreviewCodes
from codecctl.engine.recipes.token_swap import TokenSwap
from codecctl.engine.rundir import step_name
from codecctl.errors import CodecctlError

SUBTYPE = "PCM_24"
"""A quiet beach keeps its detail, and every player reads it; beyond full scale it clips."""
_TEMPORARY = ".tmp-"
_Clips: TypeAlias = Mapping[str, "tuple[np.ndarray, int]"]
"""Audio (M, T) and its rate in Hz, by name of the file."""
_NO_CODES: Mapping[str, object] = {}


class Previews:
    """Writes references and reconstructions of a few fixed items.

    Args:
        folder: `previews/` of the run.
        batches: The batches that hold the items, one item each.
        device: Where the networks live.
        arrays: Those of whole arrays; heard only with `swap`.
        swap: Exchanges first codes; None where there are none to exchange.
        codes: Codes the items; None where nothing has codes.
    """

    def __init__(
        self,
        folder: Path,
        batches: Callable[[], Sequence[Batch]],
        *,
        device: torch.device,
        arrays: Callable[[], Sequence[Batch]] = tuple,
        swap: TokenSwap | None = None,
        codes: PreviewCodes | None = None,
    ) -> None:
        self._folder = folder
        self._batches = batches
        self._arrays = arrays
        self._swap = swap
        self._codes = codes
        self._feed = Feed(device)

    def write(self, step: int, reconstruct: Callable[[Tensor], Tensor]) -> int:
        """Write the reconstructions of a step, and the references if they are not there.

        Args:
            step: Updates done.
            reconstruct: (B, M, T) to (B, M, T) on the device.

        Returns:
            How many items were written.
        """
        items = {f"item-{index:03d}": batch for index, batch in enumerate(self._batches())}
        if not items:
            return 0
        for leftover in self._folder.glob(f"{_TEMPORARY}*"):  # of a job that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        arrays: dict[str, Batch] = {}
        if self._swap is not None:
            arrays = {f"whole-{index:03d}": batch for index, batch in enumerate(self._arrays())}
        shown = {**items, **arrays}
        reference = self._folder / "reference"
        if not all((reference / f"{name}.wav").is_file() for name in shown):
            audio = {name: (batch.audio[0], batch.sample_rate) for name, batch in shown.items()}
            _write_folder(reference, audio)
        clips: dict[str, tuple[np.ndarray, int]] = {}
        codes: dict[str, object] = {}
        for name, batch in shown.items():
            with torch.no_grad():
                heard = self._heard(name, batch, reconstruct, whole=name in arrays)
                for label, estimate in heard:
                    clips[label] = (estimate[0].float().cpu().numpy(), batch.sample_rate)
                if self._codes is not None:
                    codes[name] = self._codes.of(self._feed.audio(batch))
        _write_folder(self._folder / step_name(step), clips, codes)
        return len(items)

    def _heard(
        self, name: str, batch: Batch, reconstruct: Callable[[Tensor], Tensor], *, whole: bool
    ) -> Iterator[tuple[str, Tensor]]:
        """Names of files and what they hold, (1, M, T)."""
        audio = self._feed.audio(batch)
        yield name, reconstruct(audio)
        if self._swap is None:
            return
        if whole:
            yield f"{name}.shared", self._swap.share(audio).estimate
        elif audio.shape[1] > 1:
            yield f"{name}.swap", self._swap.exchange(audio)


def _write_folder(folder: Path, clips: _Clips, codes: Mapping[str, object] = _NO_CODES) -> None:
    """Write a multichannel file for each (M, T) array, and codes; the folder appears whole."""
    beside = folder.with_name(f"{_TEMPORARY}{folder.name}")
    try:
        beside.mkdir()
        for name, (audio, sample_rate) in clips.items():
            file = io.BytesIO()  # libsndfile does not say why a file cannot be written
            soundfile.write(
                file, audio.T.clip(-1.0, 1.0), sample_rate, subtype=SUBTYPE, format="WAV"
            )
            (beside / f"{name}.wav").write_bytes(file.getbuffer())
        for name, found in codes.items():
            text = json.dumps(found, separators=(",", ":"))
            (beside / f"{name}{SUFFIX}").write_bytes(text.encode())
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise CodecctlError(
            f"{folder}: preview not written: {error.strerror}; free some space and use --resume"
        ) from error

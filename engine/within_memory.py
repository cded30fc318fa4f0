"""A recipe that says what to do when memory runs out, or makes do with less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from codecctl.engine.memory import (
    TornUpdateError,
    free_memory,
    is_out_of_memory,
    memory_in_words,
)
from codecctl.engine.recipes.base import Evaluation, Recipe, Scalars
from codecctl.engine.recipes.delegate import Delegate
from codecctl.engine.recipes.portions import smaller
from codecctl.errors import CodecctlError


class MemoryExhaustedError(CodecctlError):
    """Neither the device nor the settings allow what was tried."""


class WithinMemory(Delegate):
    """Does what a recipe does, and turns its out-of-memory errors into one line.

    Where asked, a step that did not fit is done again in smaller parts of the batch. The update is
    that of a training which had begun with these parts, but for rounding: nothing of the failed
    attempt is left, except discriminators that had learned first and are not updated twice.

    Args:
        recipe: Trains.
        device: Where the networks live.
        ranks: That share a batch; one of several cannot do a step again without the others.
        halve: Go on with smaller parts instead of stopping.
        warn: Told what was changed.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        device: torch.device,
        ranks: int,
        halve: bool,
        warn: Callable[[str], None],
    ) -> None:
        super().__init__(recipe)
        self._device = device
        self._ranks = ranks
        self._halve = halve
        self._warn = warn

    def train_step(self, audio: Tensor, step: int, channels: Tensor | None = None) -> Scalars:
        """Update everything once.

        Raises:
            MemoryExhaustedError: Memory ran out, and the step cannot or shall not be done again.
        """
        while True:
            found = ""
            try:
                return self._recipe.train_step(audio, step, channels)
            except (TornUpdateError, RuntimeError, MemoryError) as error:
                if not isinstance(error, TornUpdateError) and not is_out_of_memory(error):
                    raise
                found = f"step {step + 1}: out of memory ({memory_in_words(self._device)})"
                why_not = self._why_not(error, len(audio))
                if why_not:
                    raise MemoryExhaustedError(f"{found}; {why_not}") from error
            # Not in the handler, whose error holds on to all tensors of the attempt.
            before = self._items(len(audio))
            size = self._recipe.shrink(len(audio))
            free_memory(self._device)
            self._warn(
                f"{found} with {before} items at once; goes on with {size} at once, as "
                f"trainer.accumulate_grad_batches={len(audio) // size} would, and repeats the step"
            )

    def _items(self, batch_size: int) -> int:
        return self._recipe.items_at_once or batch_size

    def _why_not(self, error: BaseException, batch_size: int) -> str:
        """Why a step is not done again, and what to do; empty where it is."""
        items = self._items(batch_size)
        size = smaller(items)
        remedy = (
            f"type: trainer.accumulate_grad_batches={batch_size // size} --resume"
            if size
            else "no smaller part of a batch is possible: choose another GPU, or start another run "
            "with trainer.precision=bf16-mixed, a shorter data.segment_seconds or a smaller model"
        )
        tried = f"{items} {'item' if items == 1 else 'items'} went through the networks at once"
        if isinstance(error, TornUpdateError):
            return (
                f"{error} had begun to move weights, so that the step cannot be repeated; {remedy}"
            )
        if self._halve and self._ranks > 1 and size:
            return f"{tried} in each of {self._ranks} processes, which cannot repeat it; {remedy}"
        return "" if self._halve and size else f"{tried}; {remedy}"

    @contextmanager
    def _told(self, what: str, remedy: str) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            found = f"out of memory ({memory_in_words(self._device)})"
            raise MemoryExhaustedError(f"{what}: {found}; {remedy}") from error

    def initialize(self, batches: Iterator[Tensor]) -> None:
        """Fit what needs data before step 0 of a fresh run."""
        with self._told("fitting codebooks to whole batches", "choose a smaller data.batch_size"):
            self._recipe.initialize(batches)

    def evaluate(self, audio: Tensor, channels: Tensor | None = None) -> Evaluation:
        """Measure a batch (B, M, T) of channels (B, M) in evaluation mode."""
        fewer = smaller(len(audio))
        remedy = (
            f"type: data.val_batch_size={fewer} --resume"
            if fewer
            else "choose a shorter data.segment_seconds"
        )
        with self._told(f"validation of {len(audio)} items at once", remedy):
            return self._recipe.evaluate(audio, channels)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        with self._told("preview of an item", "type: trainer.previews.items=0 --resume"):
            return self._recipe.reconstruct(audio)

"""Training of a language model of samples: what it cannot predict is what a coder has to write."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from codecctl.engine.networks.transformer import Transformer
from codecctl.engine.recipes.average import WeightAverage
from codecctl.engine.recipes.base import Evaluation, Runtime, Scalars, State, mean_over_ranks
from codecctl.engine.recipes.measuring import evaluating
from codecctl.engine.recipes.player import Player
from codecctl.engine.recipes.portions import smaller
from codecctl.engine.recipes.scalars import on_device

NATS_PER_BIT = math.log(2)


class LosslessRecipe:
    """Next-symbol prediction, measured as a coder would be: in bits per sample.

    A batch arrives as audio (B, 1, T) that a `TokenStream` made of symbols; this takes the symbols
    back, exactly. Bits per byte are those of a sample over its bytes, and the ratio is the size of
    raw symbols over that of coded ones: 2 means half the size.

    Args:
        player: The transformer with its optimizer.
        runtime: Runs it.
        items_at_once: Largest part of a batch that goes through the network together; 0: all.
        average: Of the network's weights; validation uses it.
    """

    def __init__(
        self,
        player: Player,
        *,
        runtime: Runtime,
        items_at_once: int = 0,
        average: WeightAverage[Transformer] | None = None,
    ) -> None:
        self.network = cast(Transformer, player.network)
        self._player = player
        self._runtime = runtime
        self._items_at_once = items_at_once
        self._average = average
        self._bits = self.network.layout.bits

    def modules(self) -> Mapping[str, nn.Module]:
        """The network, and its average if there is one."""
        networks: dict[str, nn.Module] = {"generator": self.network}
        if self._average is not None:
            networks["average"] = self._average.network
        return networks

    @property
    def evaluated(self) -> Transformer:
        """The network that is validated and exported: the averaged one, if there is one."""
        return self.network if self._average is None else self._average.network

    @property
    def items_at_once(self) -> int:
        """Chunks that go through the network together; 0: the whole batch."""
        return self._items_at_once

    def shrink(self, batch_size: int) -> int:
        """Take back a step that memory did not suffice for; see `Recipe.shrink`."""
        size = smaller(self._items_at_once or batch_size)
        if size:
            self._items_at_once = size
            self._player.forget()
        return size

    def initialize(self, batches: Iterator[Tensor]) -> None:
        """Nothing here needs data before step 0."""
        del batches
        if self._average is not None:
            self._average.restart()

    def train_step(self, audio: Tensor, step: int, channels: Tensor | None = None) -> Scalars:
        """Descend the mean cost of a symbol once.

        Args:
            audio: (B, 1, T).
            step: Updates done so far.
            channels: Without influence: a stream has one.
        """
        del channels
        tokens = self.tokens(audio)
        total = torch.zeros((), device=tokens.device)
        for part in torch.split(tokens, self._items_at_once or len(tokens)):
            with self._runtime.autocast():
                costs: Tensor = self._player.wrapped(part)  # (b, T)
            loss = costs.mean() * (len(part) / len(tokens))
            self._player.backward(loss)
            total += loss.detach()
        moved = self._player.move(step, role="generator", spoiled=~total.isfinite())
        if self._average is not None:
            self._average.follow(self._player.blocked)
        bits = mean_over_ranks(total, self._runtime) / NATS_PER_BIT
        rate = on_device(self._player.rate_at(step), bits.device)
        named = {f"loss/{name}": value for name, value in self._per_byte(bits).items()}
        return {
            "loss/bits_per_sample": bits,
            **named,
            "compression/ratio": self._bits / bits,
            **moved,
            "lr/generator": rate,
            "skipped_updates": self._player.skipped,
        }

    def evaluate(self, audio: Tensor, channels: Tensor | None = None) -> Evaluation:
        """Bits that each chunk of a batch (B, 1, T) would take."""
        del channels
        tokens = self.tokens(audio)
        with evaluating(self.modules().values()), self._runtime.autocast():
            costs: Tensor = self.evaluated(tokens)  # (B, T)
        bits = costs.mean(1) / NATS_PER_BIT
        return Evaluation(
            metrics={"bits_per_sample": bits, **self._per_byte(bits)},
            codes=tokens.new_empty(len(tokens), 1, 0, 0),
        )

    def aggregate(self, evaluations: Sequence[Evaluation]) -> Scalars:
        """Means over all chunks, and the ratio of all of them together."""
        bits = torch.cat([each.metrics["bits_per_sample"] for each in evaluations]).mean()
        named = {f"val/{name}": value for name, value in self._per_byte(bits).items()}
        return {"val/bits_per_sample": bits, **named, "val/ratio": self._bits / bits}

    def observe(self, value: float) -> None:
        """Take up what a validation measured."""
        self._player.observe(value)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """What a lossless decoder gives back: the same."""
        return audio

    def tokens(self, audio: Tensor) -> Tensor:
        """The symbols that `datasets.tokens.Tokenizer.audio` made audio of: (B, 1, T) to (B, T)."""
        zero = 1 << (self._bits - 1)
        return (audio[:, 0] * zero).long() + zero

    def state_dict(self) -> State:
        """Network and optimizer, and the average."""
        state: State = {"generator": self._player.state_dict()}
        if self._average is not None:
            state["average"] = self._average.state_dict()
        return state

    def load_state_dict(self, state: State) -> None:
        """Take up a state of the same recipe."""
        self._player.load_state_dict(cast(State, state["generator"]))
        if self._average is not None:
            self._average.load_state_dict(cast(State, state["average"]))

    def notes(self) -> tuple[str, ...]:
        """How to read the scalars."""
        lines = (
            f"bits_per_sample counts symbols of {self._bits} bits; bits_per_byte divides it by "
            f"{self._bits // 8}, ratio is {self._bits} over it. A symbol that is not predicted at "
            f"all costs {self._bits} bits.",
        )
        return (*lines, *(self._average.notes() if self._average is not None else ()))

    def _per_byte(self, bits: Tensor) -> dict[str, Tensor]:
        return {"bits_per_byte": bits * (8 / self._bits)}

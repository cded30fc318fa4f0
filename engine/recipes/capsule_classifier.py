"""An auxiliary classifier: which capsule do the vectors of a codebook come from?

The second codebook is to hold what tells capsules apart; a classifier that reads it and cannot
tell says how far it is from that, frame by frame:

    term = cross entropy of the capsule, given the vector of the frame

Diversity only pushes two capsules of a moment apart, in any direction; this asks for directions
that mean the same capsule at every moment. The classifier learns from vectors as they are, and
the codec from a classifier that stands still, each through a gradient of its own: so the weight of
the term changes the codec alone, and either side may have a loss scale of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.recipes.base import Scalars
from codecctl.engine.recipes.player import Player
from codecctl.engine.recipes.scalars import on_device

TERM = "classifier"
"""Name of its term and of its weight."""


class CapsuleNetwork(nn.Module):
    """Two layers on the vector of each frame, in float32 whatever the precision around it.

    Args:
        dim: Width of the vectors.
        hidden: Width between the layers.
        num_capsules: Capsules to choose from.
    """

    def __init__(self, dim: int, *, hidden: int, num_capsules: int) -> None:
        super().__init__()
        self.num_capsules = num_capsules
        self.first = nn.Conv1d(dim, hidden, 1)
        self.last = nn.Conv1d(hidden, num_capsules, 1)

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (N, D, F) to logits (N, num_capsules, F)."""
        with torch.autocast(vectors.device.type, enabled=False):
            found: Tensor = self.first(vectors.to(self.first.weight.dtype))
            logits: Tensor = self.last(functional.relu(found))
        return logits


class CapsuleClassifier:
    """Learns to tell capsules by one quantizer stage, and tells the codec what it misses.

    Args:
        player: Moves a `CapsuleNetwork`.
        network: The same network, as it is without the strategy's wrapping.
        stage: Whose vectors it reads, counted from 0.
        weight: Of the term in the codec's training.
    """

    def __init__(
        self, player: Player, network: CapsuleNetwork, *, stage: int, weight: float
    ) -> None:
        self.player = player
        self.weight = weight
        self._network = network
        self._stage = stage
        self._device = next(network.parameters()).device
        self._accuracy = torch.zeros((), device=self._device)

    def learn(self, stages: Tensor, channels: Tensor, *, share: float) -> Tensor:
        """Gather what a part of the batch teaches, and return the term for the codec.

        Args:
            stages: Straight-through vectors (K, B, M, D, F).
            channels: Which capsules they are of, (B, M) int64.
            share: Of these items in the batch of this rank.

        Returns:
            (B,), with a gradient to the stages and none to the classifier.
        """
        vectors, wanted = self._rows(stages, channels)
        logits: Tensor = self.player.wrapped(vectors.detach())
        self.player.backward(share * functional.cross_entropy(logits, wanted))
        right = (logits.detach().argmax(1) == wanted).float().mean()
        self._accuracy = self._accuracy + share * right
        held = {name: value.detach() for name, value in self._network.named_parameters()}
        still: Tensor = torch.func.functional_call(self._network, held, (vectors,))
        return self._by_item(functional.cross_entropy(still, wanted, reduction="none"), channels)

    def move(self, step: int, *, blocked: Tensor) -> Scalars:
        """Descend what was gathered.

        Args:
            step: Updates done so far.
            blocked: Whether the codec's update was left out, 0-d bool: then this one is, too.
        """
        scalars = self.player.move(step, role=TERM, spoiled=blocked)
        scalars |= {f"{TERM}_accuracy": self._accuracy, **self.chance()}
        self._accuracy = torch.zeros_like(self._accuracy)
        return scalars

    def forget(self) -> None:
        """Drop what was gathered."""
        self.player.forget()
        self._accuracy = torch.zeros_like(self._accuracy)

    @torch.no_grad()
    def measure(self, stages: Tensor, channels: Tensor) -> dict[str, Tensor]:
        """Term and share of frames told right, (B,) each; arguments as in `learn`."""
        vectors, wanted = self._rows(stages, channels)
        logits: Tensor = self._network(vectors)
        missed = functional.cross_entropy(logits, wanted, reduction="none")
        right = (logits.argmax(1) == wanted).float()
        return {
            TERM: self._by_item(missed, channels),
            f"{TERM}_accuracy": self._by_item(right, channels),
        }

    def chance(self) -> Scalars:
        """Accuracy of guessing."""
        guess = 1 / self._network.num_capsules
        return {f"{TERM}_accuracy/chance": on_device(guess, self._device)}

    def notes(self) -> tuple[str, ...]:
        """How to read the scalars."""
        return (
            f"classifier is the cross entropy, in nats, of telling one of "
            f"{self._network.num_capsules} capsules by a frame's vector of codebook "
            f"{self._stage + 1}, logged without its weight; classifier_accuracy is the share of "
            "frames told right, beside that of guessing one of them all. It is trained with the "
            "codec: whether anybody else could tell, say the probes of array_measures.",
        )

    def _rows(self, stages: Tensor, channels: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B * M, D, F) and the capsule of each frame (B * M, F)."""
        vectors = stages[self._stage].flatten(0, 1)
        return vectors, channels.flatten()[:, None].expand(-1, vectors.shape[-1])

    def _by_item(self, values: Tensor, channels: Tensor) -> Tensor:
        """Values of frames (B * M, F) to means of items (B,)."""
        return values.reshape(*channels.shape, -1).mean((1, 2))

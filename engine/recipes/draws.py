"""What a bottleneck is given at random in a step."""

from __future__ import annotations

import torch
from torch import Tensor

from codecctl.engine.recipes.base import Runtime
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.seeds import generator_at


class Draws:
    """Numbers that are a function of the seed, the step and the signal's place in the batch.

    They are drawn for the global batch, so that neither ranks nor portions matter.

    Args:
        network: The codec.
        seed: Of the training.
        runtime: Says which signals are this rank's.
        dropout: Draw how many codebooks code each signal, all counts as likely.
        noise: Draw standard normal numbers for each number of a latent.
    """

    def __init__(
        self, network: CodecNetwork, seed: int, *, runtime: Runtime, dropout: bool, noise: bool
    ) -> None:
        self._network = network
        self._seed = seed
        self._runtime = runtime
        self._dropout = dropout
        self.noise = noise

    def __call__(self, signals: Tensor, step: int) -> Tensor | None:
        """Depths (N,) or noise (N, D, F) for signals (N, C, T) of this rank; None: nothing."""
        shape = (self._runtime.world_size, len(signals))
        if self._dropout:
            most = self._network.quantizer.max_depth
            generator = generator_at(self._seed, step=step, purpose="depths")
            draws = torch.randint(1, most + 1, shape, generator=generator)
        elif self.noise:
            frames = self._network.autoencoder.num_latents(signals.shape[-1])
            generator = generator_at(self._seed, step=step, purpose="noise")
            draws = torch.randn(
                *shape,
                self._network.quantizer.dim,
                frames,
                generator=generator,
                dtype=signals.dtype,
            )
        else:
            return None
        return draws[self._runtime.rank].to(self._runtime.device, non_blocking=True)

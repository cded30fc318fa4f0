"""What the comparisons of `benchmarks.parity` share: a row, the audio, the other model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

SAMPLES = 24_000


@dataclass(frozen=True)
class Row:
    """One comparison."""

    what: str
    against: str
    found: float
    bound: float

    def text(self) -> str:
        """A line of the table."""
        held = "held" if self.found <= self.bound else "MISSED"
        return f"| {self.what} | {self.against} | {self.found:.2g} | {self.bound:g} | {held} |"


def audio(seed: int = 0) -> Tensor:
    """Two seconds of noise, (2, 1, SAMPLES)."""
    return 0.1 * torch.randn(2, 1, SAMPLES, generator=torch.Generator().manual_seed(seed))


def package_model() -> Any:
    """The 24 kHz model of the `encodec` package with random weights and codebooks."""
    import encodec

    torch.manual_seed(0)
    model = encodec.EncodecModel.encodec_model_24khz(pretrained=False).eval()
    for layer in model.quantizer.vq.layers:
        layer.codebook.normal_()
    return model


def largest(one: Tensor, other: Tensor) -> float:
    """Largest absolute difference."""
    return (one - other).abs().max().item()

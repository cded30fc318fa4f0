"""Arithmetic whose result does not depend on the order of its sums.

Numbers are float64, but multiples of a power of two: of 2^-14 for activations, 2^-16 for weights.
A product of two of them is exact, and so is every partial sum that stays below 2^53 units: no
batch size, thread, kernel or fused multiply-add can change it. What is left is done one element at
a time with operations that IEEE 754 rounds correctly (+, -, x, /, square root) and with tables.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from codecctl.errors import CodecctlError

ACTIVATION_BITS = 14
"""Activations are multiples of 2^-14 and within 64 of zero: 2^20 units."""
WEIGHT_BITS = 16
"""Weights are multiples of 2^-16 and within 8 of zero: 2^19 units."""
LARGEST_ACTIVATION = 64.0
LARGEST_WEIGHT = 8.0
SUM_BITS = 53
MOST_TERMS = 1 << (SUM_BITS - 1 - 20 - 19)
"""Products of an activation and a weight whose sum is exact, its sign included: 8192."""

SOFT_STEP_BITS = 8
"""Attention cuts exponents to multiples of 2^-8 and rounds its weights to multiples of 2^-16."""
SOFT_BITS = 16
SHARP_STEP_BITS = 12
"""Probabilities of symbols round exponents to multiples of 2^-12, and to multiples of 2^-32."""
SHARP_BITS = 32
GELU_STEP_BITS = 10
VARIANCE_BITS = 12
"""Layer norm squares multiples of 2^-12."""
GELU_REACH = 8
"""Beyond it, GELU is 0 or its argument, to the last unit."""


def snap(values: Tensor, bits: int = ACTIVATION_BITS) -> Tensor:
    """The nearest multiples of 2^-bits, ties to even."""
    scale = float(1 << bits)
    return torch.round(values * scale) / scale


def activation(values: Tensor) -> Tensor:
    """The nearest activation: a multiple of 2^-14 within 64 of zero."""
    return snap(values.clamp(-LARGEST_ACTIVATION, LARGEST_ACTIVATION))


def weight(values: Tensor) -> Tensor:
    """The nearest weight as float64: a multiple of 2^-16 within 8 of zero."""
    wide = values.detach().to("cpu", torch.float64)
    return snap(wide.clamp(-LARGEST_WEIGHT, LARGEST_WEIGHT), WEIGHT_BITS)


@dataclass(frozen=True)
class Tables:
    """Functions that no two libraries round alike, at the points that are asked for."""

    soft: Tensor
    """exp(-k / 2^8), multiples of 2^-16."""
    sharp: Tensor
    """exp(-k / 2^12), multiples of 2^-32."""
    gelu: Tensor
    """GELU (tanh form) at multiples of 2^-10 from -8 to 8, activations."""

    def soft_exp(self, steps: Tensor) -> Tensor:
        """exp(-steps / 2^8), for weights of attention; `steps` are cut to whole ones from 0 on."""
        return _looked_up(self.soft, steps)

    def sharp_exp(self, distance: Tensor) -> Tensor:
        """exp(-distance), for probabilities; `distance` is not negative."""
        return _looked_up(self.sharp, torch.round(distance * float(1 << SHARP_STEP_BITS)))

    def gelu_of(self, values: Tensor) -> Tensor:
        """GELU of activations, an activation."""
        steps = torch.round((values + GELU_REACH) * float(1 << GELU_STEP_BITS))
        inside = _looked_up(self.gelu, steps)
        return torch.where(values > GELU_REACH, values, inside)


def tables() -> Tables:
    """The tables, computed and compared with what they have to be.

    Raises:
        CodecctlError: This build of Python computes others: it cannot decode anyone's files.
    """
    soft = _exponentials(SOFT_STEP_BITS, SOFT_BITS)
    sharp = _exponentials(SHARP_STEP_BITS, SHARP_BITS)
    points = np.arange(-GELU_REACH << GELU_STEP_BITS, (GELU_REACH << GELU_STEP_BITS) + 1)
    gelu = np.array([_gelu(point / (1 << GELU_STEP_BITS)) for point in points.tolist()])
    gelu = np.rint(gelu * (1 << ACTIVATION_BITS)) / (1 << ACTIVATION_BITS)
    found = 0
    for table in (soft, sharp, gelu):
        found = zlib.crc32(table.astype("<f8").tobytes(), found)
    if found != TABLES_CRC:
        raise CodecctlError(
            f"lossless coder: found tables {found:#010x}, needed {TABLES_CRC:#010x}: the "
            "exponential function of this machine rounds otherwise; code on another one"
        )
    return Tables(*(torch.from_numpy(table) for table in (soft, sharp, gelu)))


TABLES_CRC = 0xA86BC582
"""CRC-32 of the three tables, as little-endian float64."""


def _exponentials(step_bits: int, value_bits: int) -> np.ndarray:
    """exp(-k / 2^step_bits) until it rounds to 0."""
    scale = 1 << value_bits
    count = math.ceil((value_bits + 2) * math.log(2)) << step_bits
    exact = [round(math.exp(-k / (1 << step_bits)) * scale) for k in range(count)]
    return np.array([*exact, 0], dtype=np.float64) / scale


def _gelu(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _looked_up(table: Tensor, steps: Tensor) -> Tensor:
    """Entries of a table at whole numbers of steps; its ends stand for what is beyond them."""
    # numpy's take is four times as fast as torch's, and most of the time of a step goes here.
    return torch.from_numpy(np.take(table.numpy(), steps.long().numpy(), mode="clip"))

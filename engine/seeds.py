"""Random numbers that are a function of the seed, the step and what they are for."""

from __future__ import annotations

import hashlib

import torch


def _digest(seed: int, step: int, purpose: str) -> int:
    text = f"{seed}/{step}/{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def draw(seed: int, *, step: int, purpose: str) -> float:
    """A number in [0, 1)."""
    return (_digest(seed, step, purpose) >> 11) / 2**53


def generator_at(seed: int, *, step: int, purpose: str) -> torch.Generator:
    """A CPU generator, the same whenever it is asked for, so that no checkpoint has to keep it."""
    generator = torch.Generator()
    return generator.manual_seed(_digest(seed, step, purpose) >> 1)

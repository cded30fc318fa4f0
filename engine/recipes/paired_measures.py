"""What says whether the paired idea works, measured on all capsules of an em32 at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.engine.metrics import (
    AngleGroup,
    Information,
    ProbeResult,
    agreement_by_angle,
    agreement_matrix,
    capsule_probe,
    code_capsule_information,
    first_code_information,
)
from codecctl.engine.recipes.measuring import evaluating
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.token_swap import SharedCoding, TokenSwap
from codecctl.errors import DataError


@dataclass(frozen=True)
class PairedMeasures:
    """Figures of a codec with two codebooks over items of all 32 capsules."""

    first_by_angle: tuple[AngleGroup, ...]
    """Agreement of first codes against the angle between capsules."""
    second_by_angle: tuple[AngleGroup, ...]
    between_first: Information
    """What the first code of a capsule tells of that of another."""
    of_capsule: tuple[Information, Information]
    """What the first and the second code tell of the capsule."""
    probes: tuple[ProbeResult, ProbeResult]
    """How well the vectors of the first and of the second codebook tell the capsule."""
    codes_kbps: float
    """Of an item with one stream of first codes."""
    apart_kbps: float
    """Of an item whose capsules have first codes of their own."""
    shared: dict[str, float]
    """Mean of each metric over the items, with one stream of first codes."""
    apart: dict[str, float]
    """The same with first codes of their own."""
    items: int


@dataclass(frozen=True)
class _Coded:
    codes: Tensor
    """(B, 32, K, F)."""
    vectors: Tensor
    """Of the first two codebooks (2, B, 32, D, F)."""
    coding: SharedCoding
    shared: dict[str, Tensor]
    apart: dict[str, Tensor]


def measure_paired(network: CodecNetwork, batches: Iterable[Tensor]) -> PairedMeasures:
    """Code items of 32 capsules and measure what their codes share and tell.

    Args:
        network: A codec of one channel with two residual codebooks or more.
        batches: Audio (B, 32, T), two items or more in all; on the network's device.

    Raises:
        DataError: The items are too few or have another number of channels.
        ProfileError: The codec has no second codebook.
    """
    swap = TokenSwap(network)
    parts = [_code(network, swap, audio) for audio in batches]
    items = sum(len(part.codes) for part in parts)
    if items < 2:
        raise DataError(f"paired measures: found {items} items of 32 channels, needed 2")
    codes = torch.cat([part.codes for part in parts])
    vectors = torch.cat([part.vectors for part in parts], 1)
    size = network.quantizer.codebook_size
    capsules = torch.arange(NUM_CAPSULES, device=codes.device).expand(items, NUM_CAPSULES)
    by_angle, of_capsule, probes = [], [], []
    for stage in (0, 1):
        matrix = agreement_matrix(codes, codebook_size=size, stage=stage)
        by_angle.append(agreement_by_angle(matrix))
        of_capsule.append(
            code_capsule_information(
                codes, capsules, codebook_size=size, num_capsules=NUM_CAPSULES, stage=stage
            )
        )
        probes.append(capsule_probe(vectors[stage], capsules))
    return PairedMeasures(
        first_by_angle=by_angle[0],
        second_by_angle=by_angle[1],
        between_first=first_code_information(codes, codebook_size=size),
        of_capsule=(of_capsule[0], of_capsule[1]),
        probes=(probes[0], probes[1]),
        codes_kbps=parts[0].coding.codes_kbps,
        apart_kbps=parts[0].coding.apart_kbps,
        shared=_means([part.shared for part in parts]),
        apart=_means([part.apart for part in parts]),
        items=items,
    )


def measure_lines(found: PairedMeasures) -> list[str]:
    """The figures as text."""
    lines = [
        f"{found.items} items of {NUM_CAPSULES} capsules",
        "angle  pairs  first agrees (chance)  second agrees (chance)  diffuse coherence "
        "250 500 1k 2k 4k Hz",
    ]
    for first, second in zip(found.first_by_angle, found.second_by_angle, strict=True):
        coherence = " ".join(f"{value:5.2f}" for value in first.coherence)
        lines.append(
            f"{first.degrees:5.0f}  {first.pairs:5d}  {first.agreement:11.3f} ({first.chance:.3f})"
            f"    {second.agreement:12.3f} ({second.chance:.3f})    {coherence}"
        )
    between = found.between_first
    lines.append(
        f"first codes tell of each other: {between.bits:.2f} bits of {between.entropies[0]:.2f}, "
        f"of another moment {between.shuffled:.2f}"
    )
    names = ("first", "second")
    for name, told, probe in zip(names, found.of_capsule, found.probes, strict=True):
        lines.append(
            f"{name} code tells of the capsule: {told.bits:.2f} bits of {told.entropies[1]:.2f}, "
            f"with capsules exchanged {told.shuffled:.2f}; probe {probe.accuracy:.3f} "
            f"({probe.low:.3f} to {probe.high:.3f}), chance {probe.chance:.3f}"
        )
    lines.append(
        f"one first stream {found.codes_kbps:g} kb/s, first codes for all "
        f"{found.apart_kbps:g} kb/s:"
    )
    lines += [
        f"  {name}: {found.shared[name]:.4g} against {found.apart[name]:.4g}"
        for name in found.shared
    ]
    return lines


def _code(network: CodecNetwork, swap: TokenSwap, audio: Tensor) -> _Coded:
    if audio.shape[1] != NUM_CAPSULES:
        raise DataError(f"paired measures: found {audio.shape[1]} channels, needed {NUM_CAPSULES}")
    items = len(audio)
    compared = swap.compare(audio)
    with evaluating([network]):
        latent = network.encode(audio.flatten(0, 1)[:, None])
        quantized = network.quantizer(latent)
    shape = (items, NUM_CAPSULES)
    return _Coded(
        codes=quantized.codes.reshape(*shape, *quantized.codes.shape[1:]),
        vectors=quantized.stages[:2].reshape(2, *shape, *latent.shape[1:]),
        coding=compared.coding,
        shared=dict(compared.shared),
        apart=dict(compared.apart),
    )


def _means(parts: list[dict[str, Tensor]]) -> dict[str, float]:
    return {name: float(torch.cat([part[name] for part in parts]).mean()) for name in parts[0]}

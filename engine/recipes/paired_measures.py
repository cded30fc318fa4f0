"""What says whether the paired idea works, measured on all capsules of an em32 at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.engine.array_report import ArrayReport, report_lines
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
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.token_swap import SharedCoding, TokenSwap
from codecctl.errors import DataError


@dataclass(frozen=True)
class PairedMeasures:
    """Figures of a codec with two codebooks over items of all 32 capsules."""

    first_matrix: tuple[tuple[float, ...], ...]
    """Share of frames with equal first codes, of each two of the 32 capsules."""
    first_by_angle: tuple[AngleGroup, ...]
    """The same against the angle between capsules."""
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

    def scalars(self) -> dict[str, float]:
        """Figures for a row, by name."""
        first, second = (_overall(groups) for groups in (self.first_by_angle, self.second_by_angle))
        values = {
            "first_agreement": first[0],
            "first_agreement/above_chance": (first[0] - first[1]) / max(1 - first[1], 1e-9),
            "second_agreement": second[0],
            "first_code_bits": self.between_first.bits,
            "probe/first": self.probes[0].accuracy,
            "probe/second": self.probes[1].accuracy,
            "capsule_bits/first": self.of_capsule[0].bits,
            "capsule_bits/second": self.of_capsule[1].bits,
        }
        values |= {f"shared/{name}": value for name, value in self.shared.items()}
        return values | {f"apart/{name}": value for name, value in self.apart.items()}


def _overall(groups: Iterable[AngleGroup]) -> tuple[float, float]:
    """Agreement and chance, mean over all pairs of capsules."""
    groups = list(groups)
    pairs = sum(group.pairs for group in groups)
    found = sum(group.pairs * group.agreement for group in groups)
    chance = sum(group.pairs * group.chance for group in groups)
    return found / pairs, chance / pairs


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
    parts = [_code(swap, audio) for audio in batches]
    items = sum(len(part.codes) for part in parts)
    if items < 2:
        raise DataError(f"paired measures: found {items} items of 32 channels, needed 2")
    codes = torch.cat([part.codes for part in parts])
    vectors = torch.cat([part.vectors for part in parts], 1)
    size = network.quantizer.codebook_size
    capsules = torch.arange(NUM_CAPSULES, device=codes.device).expand(items, NUM_CAPSULES)
    matrices, by_angle, of_capsule, probes = [], [], [], []
    for stage in (0, 1):
        matrix = agreement_matrix(codes, codebook_size=size, stage=stage)
        matrices.append(matrix.observed.tolist())
        by_angle.append(agreement_by_angle(matrix))
        of_capsule.append(
            code_capsule_information(
                codes, capsules, codebook_size=size, num_capsules=NUM_CAPSULES, stage=stage
            )
        )
        probes.append(capsule_probe(vectors[stage], capsules))
    return PairedMeasures(
        first_matrix=tuple(tuple(row) for row in matrices[0]),
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
    return report_lines(ArrayReport.model_validate({"schema": 1, "step": 0, **asdict(found)}))


def _code(swap: TokenSwap, audio: Tensor) -> _Coded:
    if audio.shape[1] != NUM_CAPSULES:
        raise DataError(f"paired measures: found {audio.shape[1]} channels, needed {NUM_CAPSULES}")
    compared = swap.compare(audio)
    return _Coded(
        codes=compared.codes,
        vectors=compared.vectors[:2],
        coding=compared.coding,
        shared=dict(compared.shared),
        apart=dict(compared.apart),
    )


def _means(parts: list[dict[str, Tensor]]) -> dict[str, float]:
    return {name: float(torch.cat([part[name] for part in parts]).mean()) for name in parts[0]}

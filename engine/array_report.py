"""Reads and prints `array/step-*.json` of a run; needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FOLDER = "array"
_CLOSED = ConfigDict(frozen=True, populate_by_name=True)
_LARGEST_BYTES = 1 << 20


class Angle(BaseModel):
    """Pairs of capsules that are about as far apart."""

    model_config = _CLOSED

    degrees: float
    pairs: int
    agreement: float
    """Share of frames with equal codes."""
    chance: float
    coherence: tuple[float, ...]
    """Of a diffuse field, at 250, 500, 1000, 2000 and 4000 Hz."""


class Told(BaseModel):
    """What one sequence of labels tells of another, in bits."""

    model_config = _CLOSED

    bits: float
    shuffled: float
    entropies: tuple[float, float]


class Probe(BaseModel):
    """How well the vectors of a codebook tell the capsule."""

    model_config = _CLOSED

    accuracy: float
    chance: float
    low: float
    high: float


class ArrayReport(BaseModel):
    """The measures of whole arrays at one step."""

    model_config = _CLOSED

    schema_: Literal[1] = Field(alias="schema")
    step: int
    items: int
    """Windows of all 32 capsules."""
    first_matrix: tuple[tuple[float, ...], ...]
    """Agreement of the first codes of each two capsules."""
    first_by_angle: tuple[Angle, ...]
    second_by_angle: tuple[Angle, ...]
    between_first: Told
    of_capsule: tuple[Told, Told]
    probes: tuple[Probe, Probe]
    codes_kbps: float
    """Of an item with one stream of first codes."""
    apart_kbps: float
    """Of an item whose capsules have first codes of their own."""
    shared: dict[str, float]
    """By metric, with one stream of first codes."""
    apart: dict[str, float]
    """The same with first codes of their own."""


def latest_report(run: Path) -> ArrayReport | None:
    """The measures of the last step that has some; None where there are none that can be read."""
    paths = sorted((run / FOLDER).glob("step-*.json"))
    if not paths:
        return None
    try:
        with paths[-1].open("rb") as file:
            return ArrayReport.model_validate_json(file.read(_LARGEST_BYTES))
    except (OSError, ValidationError):
        return None


def report_summary(report: ArrayReport) -> str:
    """The measures in one line: do first codes agree, and do second ones tell the capsule."""
    pairs = sum(group.pairs for group in report.first_by_angle) or 1
    agreement = sum(group.pairs * group.agreement for group in report.first_by_angle) / pairs
    chance = sum(group.pairs * group.chance for group in report.first_by_angle) / pairs
    probe = report.probes[1]
    return (
        f"all {len(report.first_matrix)} capsules: first codes agree in {100 * agreement:.1f} % of "
        f"frames (by chance {100 * chance:.1f} %), second ones tell the capsule in "
        f"{100 * probe.accuracy:.1f} % (by chance {100 * probe.chance:.1f} %)"
    )


def report_lines(report: ArrayReport) -> list[str]:
    """The measures as text."""
    lines = [
        f"{report.items} items of {len(report.first_matrix)} capsules",
        "angle  pairs  first agrees (chance)  second agrees (chance)  diffuse coherence "
        "250 500 1k 2k 4k Hz",
    ]
    for first, second in zip(report.first_by_angle, report.second_by_angle, strict=False):
        coherence = " ".join(f"{value:5.2f}" for value in first.coherence)
        lines.append(
            f"{first.degrees:5.0f}  {first.pairs:5d}  {first.agreement:11.3f} ({first.chance:.3f})"
            f"    {second.agreement:12.3f} ({second.chance:.3f})    {coherence}"
        )
    between = report.between_first
    lines.append(
        f"first codes tell of each other: {between.bits:.2f} bits of {between.entropies[0]:.2f}, "
        f"of another moment {between.shuffled:.2f}"
    )
    names = ("first", "second")
    for name, told, probe in zip(names, report.of_capsule, report.probes, strict=True):
        lines.append(
            f"{name} code tells of the capsule: {told.bits:.2f} bits of {told.entropies[1]:.2f}, "
            f"with capsules exchanged {told.shuffled:.2f}; probe {probe.accuracy:.3f} "
            f"({probe.low:.3f} to {probe.high:.3f}), chance {probe.chance:.3f}"
        )
    lines.append(
        f"one first stream {report.codes_kbps:g} kb/s, first codes for all "
        f"{report.apart_kbps:g} kb/s:"
    )
    lines += [
        f"  {name}: {value:.4g} against {report.apart[name]:.4g}"
        for name, value in report.shared.items()
        if name in report.apart
    ]
    return lines

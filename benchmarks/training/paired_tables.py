"""Tables and curves of what `benchmarks.paired_against_mono` has kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.paired_against_mono import VARIANTS
from benchmarks.paired_from_mono import PARTS as CONTINUED
from benchmarks.training.markdown import Chart, Result, dashed, head, line


def paired_tables(found: Mapping[str, Result]) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each table."""
    yield "paired", _paired(found)
    yield "paired-differences", _differences(found)
    yield "angles", _angles(found)
    yield "shared", _shared(found)


def continued_table(found: Mapping[str, Result]) -> list[str]:
    """Of what `benchmarks.paired_from_mono` has kept; differences from the part without terms."""
    lines = head(
        "terms",
        "factors",
        "first codes agree above chance",
        "less `nothing`",
        "probe, second code",
        "perplexity 1, 2",
        "mel: shared / own",
    )
    plain = found.get("nothing")
    for part in [name for name in CONTINUED if name in found and plain is not None]:
        each = found[part]
        last, whole = each["checkpoints"][-1], each["whole"]
        differences = _above_by_item(each) - _above_by_item(plain or {})
        low, high = _interval(differences, each["recordings"])
        lines.append(
            line(
                part,
                ", ".join(f"{value:.1f}" for value in each["factors"].values()) or "1, 1",
                f"{_above(last):.3f}",
                f"{differences.mean():+.3f} ({low:+.3f} to {high:+.3f})",
                _probe(last["second"]["probe"]),
                ", ".join(f"{value:.0f}" for value in last["perplexity"]),
                f"{whole['shared']['mel']:.4f} / {whole['apart']['mel']:.4f}",
            )
        )
    return lines if len(lines) > 2 else []


def paired_charts(found: Mapping[str, Result]) -> Iterator[tuple[str, Chart]]:
    """File name and content of each chart."""
    for name, title, unit, value in (
        ("agreement", "First codes that agree, above chance", "share", _above),
        ("bits", "What first codes tell of each other", "bits", _bits),
        ("probe", "Capsules told by the second code", "accuracy", _second_probe),
    ):
        curves = {
            dashed(part): [(each["step"], value(each)) for each in kept["checkpoints"]]
            for part, kept in _in_order(found)
        }
        yield f"paired-{name}", Chart(title, unit, curves)
    curves = {dashed(part): kept["val_mel"][1:] for part, kept in _in_order(found)}
    yield "paired-mel", Chart("Distance of the validation windows", "val/mel", curves)


def _above(each: Result) -> float:
    """First-code agreement above chance: 1 always, 0 as by chance."""
    return _share_above(each["first"]["agreement"], each["first"]["chance"])


def _share_above(agreement: float, chance: float) -> float:
    return (agreement - chance) / max(1 - chance, 1e-9)


def _bits(each: Result) -> float:
    between = each["between_first"]
    return float(between["bits"] - between["shuffled"])


def _second_probe(each: Result) -> float:
    return float(each["second"]["probe"]["accuracy"])


def _in_order(found: Mapping[str, Result]) -> Iterator[tuple[str, Result]]:
    known = [name for name in VARIANTS if any(part.startswith(f"{name}-") for part in found)]
    for name in known:
        for part in sorted(part for part in found if part.rpartition("-")[0] == name):
            yield part, found[part]


def _paired(found: Mapping[str, Result]) -> list[str]:
    lines = head(
        "training",
        "updates",
        "first codes agree (chance)",
        "above chance",
        "first tells of first, bits (of)",
        "probe, first code",
        "probe, second code",
        "capsule in the second code, bits",
        "perplexity 1, 2",
        "mel",
    )
    for part, each in _in_order(found):
        last, whole = each["checkpoints"][-1], each["whole"]
        first, second = last["first"], last["second"]
        told = second["of_capsule"]
        lines.append(
            line(
                part,
                str(last["step"]),
                f"{first['agreement']:.3f} ({first['chance']:.3f})",
                f"{_above(last):.3f}",
                f"{_bits(last):.2f} ({last['between_first']['entropies'][0]:.2f})",
                _probe(first["probe"]),
                _probe(second["probe"]),
                f"{told['bits'] - told['shuffled']:.3f}",
                ", ".join(f"{value:.0f}" for value in last["perplexity"]),
                f"{whole['apart']['mel']:.4f}",
            )
        )
    return lines if len(lines) > 2 else []


def _probe(found: Result) -> str:
    return (
        f"{100 * found['accuracy']:.2f} % ({100 * found['low']:.2f} to {100 * found['high']:.2f})"
    )


def _differences(found: Mapping[str, Result]) -> list[str]:
    """Of each variant against mono, item by item; intervals over the recordings."""
    lines = head("variant", "seeds", "first codes agree above chance, less mono's", "by seed")
    for name in VARIANTS:
        seeds = [
            seed
            for seed in ("1", "2", "3")
            if f"{name}-{seed}" in found and f"mono-{seed}" in found
        ]
        if name == "mono" or not seeds:
            continue
        by_seed = [
            _above_by_item(found[f"{name}-{seed}"]) - _above_by_item(found[f"mono-{seed}"])
            for seed in seeds
        ]
        low, high = _interval(np.mean(by_seed, 0), found[f"mono-{seeds[0]}"]["recordings"])
        lines.append(
            line(
                name,
                ", ".join(seeds),
                f"{np.mean(by_seed):+.3f} ({low:+.3f} to {high:+.3f})",
                ", ".join(f"{values.mean():+.3f}" for values in by_seed),
            )
        )
    return lines if len(lines) > 2 else []


def _above_by_item(each: Result) -> np.ndarray:
    last = each["checkpoints"][-1]
    chance = last["first"]["chance"]
    return np.array([_share_above(value, chance) for value in last["agreement_of_items"]])


def _interval(values: np.ndarray, groups: Sequence[str]) -> tuple[float, float]:
    """95 % of the means of resampled groups, (N,) each of one of the groups."""
    names = sorted(set(groups))
    means = np.array([values[np.array(groups) == name].mean() for name in names])
    drawn = np.random.default_rng(0).integers(0, len(names), (10_000, len(names)))
    low, high = np.quantile(means[drawn].mean(1), [0.025, 0.975])
    return float(low), float(high)


def _angles(found: Mapping[str, Result]) -> list[str]:
    parts = [(part, each) for part, each in _in_order(found) if part.endswith("-1")]
    if not parts:
        return []
    lines = head("angle", "pairs", "coherence of a diffuse field at 1 kHz", *(p for p, _ in parts))
    groups = [each["checkpoints"][-1]["first"]["by_angle"] for _, each in parts]
    for row in zip(*groups, strict=True):
        cells = (f"{each['agreement']:.3f}" for each in row)
        coherence = f"{row[0]['coherence'][2]:.2f}"
        lines.append(line(f"{row[0]['degrees']:.0f}°", str(row[0]["pairs"]), coherence, *cells))
    return lines


def _shared(found: Mapping[str, Result]) -> list[str]:
    names = ("mel", "si_sdr", "level_error", "phase_error", "coherence_error")
    lines = head("training", *(f"{name}: shared / own" for name in names))
    for part, each in _in_order(found):
        whole = each["whole"]
        lines.append(
            line(part, *(f"{whole['shared'][n]:.3f} / {whole['apart'][n]:.3f}" for n in names))
        )
    return lines if len(lines) > 2 else []

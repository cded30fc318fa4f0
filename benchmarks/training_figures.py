"""Tables and curves of `docs/training-figures.md` from what the benchmarks of trainings left.

    .venv/bin/python -m benchmarks.training_figures OUT [--write]

Prints the tables; `--write` replaces those in the page, between `<!-- begin NAME -->` and
`<!-- end NAME -->`, and the curves below `docs/training`. A table without results is left as it is.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.full_size_steps import PARTS as FULL
from benchmarks.small_runs import CAPSULES
from benchmarks.training.markdown import Chart, Result, head, line
from benchmarks.training.paired_tables import continued_table, paired_charts, paired_tables
from benchmarks.training.quantizer_tables import quantizer_charts, quantizer_tables
from benchmarks.training.short import kept
from benchmarks.training.svg import write_chart

PAGE = Path(__file__).parents[1] / "docs" / "training-figures.md"
CURVES = PAGE.with_name("training")
POLICY = "32ch-"
"""Parts that differ in what the discriminators see of 32 channels alone."""


def main() -> None:
    """Print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--write", action="store_true", help=f"replace the tables of {PAGE.name}")
    given = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8") if given.write else ""
    for name, lines in tables(given.out):
        if not lines:
            continue
        print(f"{name}\n" + "\n".join(lines) + "\n")
        pattern = rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)"
        page = re.sub(pattern, lambda at, new=lines: _between(at, new), page, flags=re.DOTALL)
    if given.write:
        PAGE.write_text(page, encoding="utf-8")
        for name, chart in charts(given.out):
            if chart.curves:
                path = CURVES / f"{name}.svg"
                write_chart(path, chart.curves, title=chart.title, x="updates", y=chart.unit)


def tables(out: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each table."""
    yield from quantizer_tables(_results(out / "quantizers"))
    yield from paired_tables(_results(out / "paired"))
    yield "continued", continued_table(_results(out / "continued"))
    full = _results(out / "full")
    yield "full", _full(full)
    yield "policies", _policies(full)
    yield "small", _small(_results(out / "small"))


def charts(out: Path) -> Iterator[tuple[str, Chart]]:
    """File name and content of each chart."""
    yield from quantizer_charts(_results(out / "quantizers"))
    yield from paired_charts(_results(out / "paired"))


def _results(folder: Path) -> dict[str, Result]:
    return {path.stem: kept(path) or {} for path in sorted(folder.glob("*.json"))}


def _between(at: re.Match[str], lines: Sequence[str]) -> str:
    return at.group(1) + "\n".join(lines) + "\n" + at.group(2)


def _full(found: Mapping[str, Result]) -> list[str]:
    lines = head(
        "profile",
        "batch",
        "micro-batches",
        "parameters",
        "s a step, clock",
        "s a step, CPU",
        "peak memory",
        "loss/total",
    )
    for name, part in FULL.items():
        if name not in found or name.startswith(POLICY):
            continue
        each = found[name]
        parameters = ", ".join(
            f"{role} {count / 1e6:.2f} M" for role, count in each["parameters"].items()
        )
        late = " with discriminators" if name.endswith("-gan") else ""
        lines.append(
            line(
                f"`{part.profile}`{late}",
                " x ".join(str(size) for size in each["batch"]),
                str(part.accumulate),
                parameters,
                f"{median(each['seconds']):.0f}",
                f"{median(each['cpu_seconds']):.0f}",
                f"{each['peak_gb']:.1f} GB",
                ", ".join(f"{value:.3g}" for value in each["losses"]),
            )
        )
    return lines if len(lines) > 2 else []


def _policies(found: Mapping[str, Result]) -> list[str]:
    lines = head("channels", "discriminator", "s a step, CPU", "peak memory", "loss/total")
    for name in FULL:
        if name not in found or not name.startswith(POLICY):
            continue
        each = found[name]
        lines.append(
            line(
                f"`{name.removeprefix(POLICY)}`",
                f"{each['parameters']['discriminator'] / 1e6:.3f} M",
                ", ".join(f"{seconds:.0f}" for seconds in each["cpu_seconds"]),
                f"{each['peak_gb']:.1f} GB",
                ", ".join(f"{value:.3g}" for value in each["losses"]),
            )
        )
    return lines if len(lines) > 2 else []


def _small(found: Mapping[str, Result]) -> list[str]:
    lines = head("profile", "steps", "val/mel", "val/si_sdr, dB", "codebooks in use at the end")
    for profile in CAPSULES:
        if profile not in found:
            continue
        each = found[profile]
        mel, ratio = each["val/mel"], each["val/si_sdr"]
        used = [each[f"val/codebook/{number}/usage"] for number in (1, 2)]
        lines.append(
            line(
                f"`{profile}`",
                str(mel[-1][0]),
                f"{mel[0][1]:.3f} -> {mel[-1][1]:.3f}",
                f"{ratio[0][1]:.1f} -> {ratio[-1][1]:.1f}",
                ", ".join(f"{100 * points[-1][1]:.0f} %" for points in used if points) or "none",
            )
        )
    return lines if len(lines) > 2 else []


if __name__ == "__main__":
    main()

"""Tables and curves of what `benchmarks.quantizers` has kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import mean

from benchmarks.quantizers import BLOCK
from benchmarks.training.markdown import Chart, Result, dashed, head, line
from benchmarks.training.toy import EMAS

NAMES = {"correct": "ours", "encodec": "`ema=encodec`", "package": "encodec 0.1.1"}
SHOWN_STEPS = (1, 10, 100, 300)
SHOWN_BLOCKS = (25, 50, 100, 300)


def quantizer_tables(found: Mapping[str, Result]) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each table."""
    trainings = {name: each for name, each in found.items() if name != "toy"}
    yield "toy", _toy(found.get("toy", {}))
    yield "quantizers", _trainings(trainings)
    yield "replays", _replays(trainings)


def quantizer_charts(found: Mapping[str, Result]) -> Iterator[tuple[str, Chart]]:
    """File name and content of each chart."""
    rows = {dashed(name): each["checkpoints"] for name, each in found.items() if name != "toy"}
    curves = {name: [(row["step"], row["snr"][-1]) for row in each] for name, each in rows.items()}
    yield "quantizer-snr", Chart("Latents in two codebooks", "SNR, dB", curves)
    curves = {
        name: [(row["step"], 100 * row["usage"][0]) for row in each] for name, each in rows.items()
    }
    yield "quantizer-usage", Chart("Entries of the first codebook", "in use, %", curves)


def _toy(found: Result) -> list[str]:
    if not found:
        return []
    steps = [row["step"] for row in found["correct"]["trace"]]
    lines = head(
        "update",
        *(f"MSE at {step}" for step in steps),
        *(f"stage 1 in use at {step}" for step in steps),
        "revived of 32",
    )
    for name, each in found.items():
        errors = (f"{row['error']:.3f}" for row in each["trace"])
        usage = (f"{100 * row['usage']:.0f} %" for row in each["trace"])
        lines.append(line(NAMES[name], *errors, *usage, str(each["revived"])))
    return lines


def _conditions(found: Mapping[str, Result]) -> Iterator[tuple[str, dict[str, Result]]]:
    """Trainings that differ in the update alone."""
    names = sorted({name.partition("-")[2] for name in found})
    for name in names:
        pair = {ema: found[f"{ema}-{name}"] for ema in EMAS if f"{ema}-{name}" in found}
        if len(pair) == len(EMAS):
            yield name, pair


def _condition(name: str) -> str:
    seed, decay, *gan = name.split("-")
    return f"seed {seed}, decay {decay}" + (", discriminators from halfway" if gan else "")


def _trainings(found: Mapping[str, Result]) -> list[str]:
    lines: list[str] = []
    for name, pair in _conditions(found):
        if not lines:
            lines = head(
                "training",
                "after",
                "SNR, 1 stage",
                "SNR, 2 stages",
                "gain",
                "stage 1 in use",
                "perplexity 1, 2",
                "val/mel",
                "val/si_sdr",
            )
        rows = zip(pair["correct"]["checkpoints"], pair["encodec"]["checkpoints"], strict=True)
        for ours, theirs in rows:
            if ours["step"] not in (*SHOWN_STEPS, pair["correct"]["checkpoints"][-1]["step"]):
                continue
            gain = ours["snr"][-1] - theirs["snr"][-1]
            for ema, row in (("correct", ours), ("encodec", theirs)):
                lines.append(
                    line(
                        f"{_condition(name)}: {NAMES[ema]}",
                        str(row["step"]),
                        f"{row['snr'][0]:.2f}",
                        f"{row['snr'][1]:.2f}",
                        f"**{gain:+.2f} dB**" if ema == "correct" else "",
                        f"{100 * row['usage'][0]:.0f} %",
                        ", ".join(f"{value:.0f}" for value in row["perplexity"]),
                        f"{row['mel']:.4f}",
                        f"{row['si_sdr']:.1f}",
                    )
                )
    return lines


def _replays(found: Mapping[str, Result]) -> list[str]:
    lines: list[str] = []
    for name, each in found.items():
        blocks = {ema: each["replays"][ema]["blocks"] for ema in EMAS}
        steps = [BLOCK * (number + 1) for number in range(len(blocks["correct"]))]
        shown = [number for number, step in enumerate(steps) if step in (*SHOWN_BLOCKS, steps[-1])]
        if not lines:
            last = each["replays"]["correct"]["updates"]
            columns = (f"updates {BLOCK * n + 1} to {min(steps[n], last)}" for n in shown)
            lines = head("latents of", *columns, "mean", "stage 1 in use at the end")
        cells = [
            f"{blocks['correct'][n][-1]:.2f} / {blocks['encodec'][n][-1]:.2f} "
            f"({blocks['correct'][n][-1] - blocks['encodec'][n][-1]:+.2f})"
            for n in shown
        ]
        gain = mean(
            ours[-1] - theirs[-1]
            for ours, theirs in zip(blocks["correct"], blocks["encodec"], strict=True)
        )
        usage = (f"{100 * each['replays'][ema]['usage'][0]:.0f} %" for ema in EMAS)
        ema, _, condition = name.partition("-")
        of = f"{NAMES[ema]}, {_condition(condition)}"
        lines.append(line(of, *cells, f"**{gain:+.2f} dB**", " / ".join(usage)))
    return lines

"""How the dashboard writes values, ages, sizes and states."""

from __future__ import annotations

import math

LOST = "lost"
ACTIVE = ("starting", "running")

GLYPHS = {
    "starting": "◌",
    "running": "●",
    "finished": "✓",
    "stopped": "■",
    "failed": "✗",
    LOST: "?",
}

HINTS = {
    "val/mel": "mean |difference of log10 mel| over 7 scales; lower is better",
    "val/si_sdr": "scale-invariant signal-to-distortion ratio in dB; higher is better",
    "val/si_sdr_loss": "minus the ratio in dB, a term of the training; lower is better",
    "val/eval/sisdr": "SI-SDR as trainer.eval_loss_config sets it, in dB; higher is better",
    "val/eval/stft": "spectral convergence + |difference of ln magnitudes|; lower is better",
    "val/eval/mel": "the same in mel bands; lower is better",
    "val/code_agreement": "share of frames where both capsules have the same first code",
    "val/code_agreement/above_chance": "1: first codes always agree, 0: no more than by chance",
    "val/first_code_bits": "bits that a first code tells of that of another capsule",
    "val/second_code_difference": "share of frames where the second codes of capsules differ",
    "val/swap/mel": "val/mel of capsules decoded with another one's first codes; lower is better",
    "val/swap/si_sdr": "val/si_sdr of capsules decoded with another one's first codes",
    "loss/similarity": "distance of first codes between capsules, >= 0; lower: shared content",
    "loss/diversity": "<= 0; more negative: second codes of the capsules further apart",
    "val/similarity": "distance of first codes between capsules, >= 0; lower: shared content",
    "val/diversity": "<= 0; more negative: second codes of the capsules further apart",
}

_HIGHER = (
    "si_sdr",
    "sisdr",
    "usage",
    "perplexity",
    "agreement",
    "code_difference",
    "code_bits",
    "stoi",
    "pesq",
    "speed/audio",
    "accuracy",
    "probe/second",
    "capsule_bits/second",
    "/ratio",
)
_USUAL_DIGITS = 4
_EVENLY_USED = ("/entropy", "/diversity")
"""Of a codebook; elsewhere diversity is a loss."""


def value_text(value: float | None, *, digits: int = _USUAL_DIGITS) -> str:
    """A scalar with that many significant digits; "-" for none."""
    if value is None:
        return "-"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        behind = digits - 1 if digits > _USUAL_DIGITS else min(2, digits - 1)
        mantissa, exponent = f"{value:.{behind}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"


def shorter_name(name: str, width: int) -> str:
    """A name of a metric without its first parts where it is too wide: the last ones tell most.

    As it is where no part of it would fit.
    """
    parts = name.split("/")
    texts = (name, *("…/" + "/".join(parts[first:]) for first in range(1, len(parts))))
    return next((text for text in texts if len(text) <= width), name)


def column_text(value: float | None) -> str:
    """A scalar with four digits, zeros too: points stand below each other in a column."""
    if value is None or not math.isfinite(value) or not (value == 0 or 1e-3 <= abs(value) < 1e4):
        return value_text(value)
    return f"{value:#.4g}".removesuffix(".")


def age_text(seconds: float) -> str:
    """A time span in its largest fitting unit: `4 s`, `12 min`, `3.5 h`, `2 d`."""
    if not math.isfinite(seconds) or seconds < 0:
        return "-"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.0f} d" if seconds < 1000 * 86400 else "-"


def bytes_text(size: float) -> str:
    """A file size with a decimal unit."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} B"


def step_text(step: int, max_steps: int) -> str:
    """`1200/6000`, `241k/518k`, or the step alone where no end is known."""
    return f"{_count(step)}/{_count(max_steps)}" if max_steps > 0 else _count(step)


def _count(number: int) -> str:
    """A count in at most five characters: from 100 000 on in thousands, then in millions."""
    if number >= 10_000_000:
        return f"{number / 1e6:.0f}M"
    return f"{number / 1000:.0f}k" if number >= 100_000 else str(number)


def higher_is_better(metric: str) -> bool:
    """Whether a larger value of this metric is the better one."""
    if metric.endswith("_loss") or metric.startswith("loss/"):
        return False  # the term of that name: minus the ratio
    if metric.endswith("second_agreement"):
        return False  # second codes are to differ
    if "codebook/" in metric and metric.endswith(_EVENLY_USED):
        return True
    return any(word in metric for word in _HIGHER)


def first_line(text: str) -> str:
    """The first line of a message that may have several."""
    return text.strip().split("\n", 1)[0]


def best_first(metric: str, value: float | None) -> float:
    """What to sort by so that the best value of a metric comes first, no value and NaN last."""
    if value is None or math.isnan(value):
        return math.inf
    return -value if higher_is_better(metric) or metric in ("step", "epoch") else value

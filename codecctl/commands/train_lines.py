"""What `codecctl train` says: at the start, while it runs, and at the end."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.engine.rows import number
from codecctl.engine.rundir import list_checkpoints, read_metrics
from codecctl.output import PLAIN_INTERVAL_SECONDS, note, result

if TYPE_CHECKING:
    from codecctl.commands.train_transcript import Transcript
    from codecctl.engine.loop_parts import Report
    from codecctl.engine.prepare import Prepared

REDRAW_SECONDS = 0.2
SLOW_STEPS = 2000
SLOW_HOURS = 12.0
EXPLAINED = ("similarity", "diversity")
"""Scalars whose sign needs a sentence."""
_CLEAR_LINE = "\r\x1b[K"


def print_start(prepared: Prepared) -> None:
    """Say what is trained, on what, and how much of it there is."""
    from codecctl.engine.dryrun import count_parameters

    data, store, cadence = prepared.data, prepared.store, prepared.cadence
    train = data.train.recordings
    here = Path.cwd()
    place = store.path.relative_to(here) if store.path.is_relative_to(here) else store.path
    note(f"store {place}: {len(store.recordings)} recordings, {store.sample_rate} Hz")
    scenes = ", ".join(sorted({info.scene for info in train if info.scene})) or "no scenes"
    hours = sum(info.seconds * info.channels for info in train) / 3600
    note(f"training: {len(train)} recordings ({scenes}), {hours:.3g} channel-hours")
    validating = sorted({item.recording for item in data.validation})
    note(f"validation: {len(data.validation)} fixed items of {', '.join(_shortened(validating))}")
    if prepared.profile.data.split:
        counts = ", ".join(f"{side} {len(names)}" for side, names in data.split.sides.items())
        note(f"split {prepared.profile.data.split}: {counts} recordings")
    if data.split.note:
        note(f"warning: {data.split.note}")
    for line in left_out_lines(data.left_out):
        note(f"left out: {line}")
    sizes = ", ".join(
        f"{role} {count_parameters(network) / 1e6:.2f} M"
        for role, network in prepared.recipe.modules().items()
    )
    processes = prepared.crew.world_size
    shared = f"{processes} processes, each on " if processes > 1 else ""
    note(f"networks: {sizes} parameters on {shared}{prepared.runtime.device_name}")
    note(
        f"steps: {cadence.max_steps} of {data.train.batch_size} items, "
        f"{cadence.updates_per_epoch} in an epoch"
    )


def left_out_lines(sentences: Sequence[str]) -> list[str]:
    """One line for each reason; a corpus may have hundreds of recordings that share one.

    Args:
        sentences: `NAME: reason`.
    """
    names: dict[str, list[str]] = {}
    for sentence in sentences:
        name, _, reason = sentence.partition(": ")
        names.setdefault(reason, []).append(name)
    return [
        f"{of_reason[0]}: {reason}"
        if len(of_reason) == 1
        else f"{len(of_reason)} recordings: {reason} ({', '.join(_shortened(of_reason))})"
        for reason, of_reason in names.items()
    ]


def print_dry_run(prepared: Prepared) -> None:
    """Measure one item in each stage and print what a training would need."""
    from codecctl.engine.dryrun import estimate

    found = estimate(prepared)
    for role, count in found.parameters.items():
        result(f"parameters of the {role}: {count:,}")
    for stage in found.stages:
        of = f"stage {stage.name}: " if stage.name else ""
        result(f"{of}update with one item: {stage.item_seconds:.2f} s")
        result(f"{of}validation of one item: {stage.validation_item_seconds:.2f} s")
        result(f"{of}memory with one item: {stage.memory_mb:.0f} MB")
        result(f"{of}memory with a batch: about {stage.batch_memory_mb:.0f} MB")
        result(f"{of}update with a batch: about {stage.step_seconds:.2f} s")
        if stage.name:
            seconds = stage.step_seconds * stage.steps
            result(f"{of}{stage.steps} steps: about {duration(seconds)}")
    result(f"checkpoint: about {found.checkpoint_mb:.0f} MB")
    steps = sum(stage.steps for stage in found.stages)
    result(f"training of {steps} steps: about {duration(found.total_seconds)}")


def warn_of_disk(prepared: Prepared, runs: Path) -> None:
    """Say so where the disk of the runs will not hold the checkpoints."""
    from codecctl.engine.dryrun import checkpoint_mb

    trainer, steps = prepared.profile.trainer, prepared.cadence.max_steps
    kept = trainer.keep_last + trainer.save_top_k
    if trainer.keep_every_n_steps:
        kept += steps // trainer.keep_every_n_steps
    needed = checkpoint_mb(prepared) * (kept + 1)
    folder = next(path for path in (runs, *runs.resolve().parents) if path.exists())
    free = shutil.disk_usage(folder).free / 1e6
    if free < needed:
        note(
            f"warning: {runs}: found {free:.0f} MB free, checkpoints need about {needed:.0f} MB; "
            "free some, keep fewer (trainer.keep_last, trainer.keep_every_n_steps), or set "
            "CODECCTL_HOME"
        )


def warn_of_slow_device(prepared: Prepared) -> None:
    """Say how long a full-size training takes on a CPU, before it begins."""
    if prepared.crew.world_size > 1:
        return  # who starts several processes has seen what one needs
    if prepared.runtime.device.type != "cpu" or prepared.cadence.max_steps < SLOW_STEPS:
        return
    from codecctl.engine.dryrun import estimate
    from codecctl.engine.prepare import prepare

    # Others than those that will be trained: the measurement updates them.
    found = estimate(prepare(prepared.profile, prepared.store))
    if found.total_seconds < 3600 * SLOW_HOURS:
        return
    note(
        f"warning: {prepared.cadence.max_steps} steps on this CPU take about "
        f"{duration(found.total_seconds)}; use a node with a GPU (same command), or try "
        "model=tiny trainer=demo"
    )


class ProgressLine:
    """Step, losses, speed and time left: one rewritten line on a terminal, else every 30 s.

    Args:
        transcript: Keeps every 30 s on a terminal, too.
    """

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._terminal = sys.stderr.isatty()
        self._drawn = self._said = 0.0
        self._open = False

    def report(self, report: Report) -> None:
        """Show where the training stands, if the last line is old enough or it was the last."""
        now = time.monotonic()
        is_last = report.step == report.max_steps
        draws = self._terminal and (is_last or now - self._drawn >= REDRAW_SECONDS)
        says = is_last or now - self._said >= PLAIN_INTERVAL_SECONDS
        if not (draws or says):
            return
        text = progress_text(report)
        if draws:
            self._drawn = now
            self._draw(text)
        if says:
            self._said = now
            self._say(text)

    def phase(self, text: str) -> None:
        """Show what begins, where no report will come for a while; it delays no report."""
        if self._terminal:
            self._draw(text)
        if time.monotonic() - self._said >= PLAIN_INTERVAL_SECONDS:
            self._say(text)

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._transcript.unheard(_CLEAR_LINE + text[:width])
        self._open = True

    def _say(self, text: str) -> None:
        if self._terminal:
            self._transcript.keep(text)
        else:
            note(text)

    def tell(self, text: str) -> None:
        """Show another line."""
        self.close()
        note(text)

    def close(self) -> None:
        """End the line, so that what follows has its own."""
        if self._open:
            self._transcript.unheard("\n")
            self._open = False


def progress_text(report: Report) -> str:
    """The progress line; after a resume, speed and losses are known from the first row on."""
    place = f"step {report.step}/{report.max_steps} epoch {report.epoch}"
    if not report.values:
        return place
    losses = " ".join(
        f"{name.removeprefix('loss/')} {value:.3g}"
        for name, value in report.values.items()
        if name.startswith("loss/") and name.count("/") == 1
    )
    return (
        f"{place} | "
        f"{report.audio_seconds_per_second:.1f} audio-s/s, {duration(report.seconds_left)} left | "
        f"{losses}"
    )


def print_summary(prepared: Prepared, run: Path) -> None:
    """Print what was learned, where it lies, and what to type next."""
    from codecctl.engine.array_report import latest_report, report_summary
    from codecctl.engine.verdicts import judge, verdict_lines

    rows = read_metrics(run, "val")
    metric = prepared.profile.trainer.best_metric
    if rows:
        first, last = rows[0], rows[-1]
        for line in summary_lines(first, last, metric=metric):
            result(line)
    if arrays := latest_report(run):
        result(report_summary(arrays))
    for line in verdict_lines(judge(read_metrics(run), mode=prepared.profile.mode)):
        result(line)
    for text in prepared.recipe.notes():
        if text.startswith(EXPLAINED):  # the others stand in train.log
            result(text)
    checkpoints = list_checkpoints(run)
    best = next((info.name for info in checkpoints if info.is_best), "")
    result(f"run {run}: {len(checkpoints)} checkpoints{f', best {best}' if best else ''}")
    result(f"next: codecctl dashboard, or codecctl runs show {run.name}")


def summary_lines(
    first: Mapping[str, object], last: Mapping[str, object], *, metric: str
) -> list[str]:
    """What changed between two validations.

    Args:
        first: The row before training.
        last: The row after it.
        metric: The distance that chooses the best checkpoint.
    """
    lines = []
    before, after = number(first.get(metric)), number(last.get(metric))
    if before is not None and after is not None:
        change = 100 * (after - before) / abs(before) if before else 0.0
        steps = f"step {first.get('step')} to {last.get('step')}"
        lines.append(f"{metric}: {before:.4g} -> {after:.4g} ({change:+.1f} %), {steps}")
    usage = _codebook_usage(last)
    if usage:
        shown = ", ".join(f"codebook {name} {100 * value:.0f} %" for name, value in usage.items())
        lines.append(f"entries in use over the fixed items: {shown}")
    for name in ("val/similarity", "val/diversity", "val/si_sdr", "val/swap/mel"):
        value = number(last.get(name))
        if value is not None and name != metric:
            lines.append(f"{name}: {value:.4g}{' dB' if name.endswith('sdr') else ''}")
    return lines


def duration(seconds: float) -> str:
    """A time in the two largest units that matter."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes}:{rest:02d} min"


def _codebook_usage(row: Mapping[str, object]) -> dict[str, float]:
    found = {}
    for name, value in row.items():
        parts = name.split("/")
        usage = number(value)
        if parts[:2] == ["val", "codebook"] and parts[-1] == "usage" and usage is not None:
            found[parts[2]] = usage
    return found


def _shortened(names: list[str], most: int = 4) -> list[str]:
    return names if len(names) <= most else [*names[:most], f"{len(names) - most} more"]

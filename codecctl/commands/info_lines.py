"""The page that `data info` prints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from codecctl.commands.source_lines import array_text
from codecctl.terminal import BARS, count_text, duration_text, shortened, table_lines

if TYPE_CHECKING:
    from rich.text import Text

    from codecctl.commands.store_facts import CheckState, SplitState
    from codecctl.datasets.store import RecordingInfo, Store
    from codecctl.datasets.summary import ArraySummary, SceneSummary, Summary

_DTYPES = {
    "int16": "int16 with a scale for each channel and second",
    "float32": "float32",
    "pcm": "the integers of the source",
}
_KINDS = {"adjacent": "adjacent capsules", "opposite": "opposite capsules"}
_RANGE_DB = 60.0
_LONGEST_TAKE = 6


def heading_lines(store: Store) -> list[str]:
    """Name, size, rate and identity of a store."""
    from codecctl.datasets.store import size_text

    rows = store.recordings
    scenes = len({row.scene for row in rows if row.scene})
    size = size_text(sum(row.file_size for row in rows))
    return [
        f"{store.path}: {count_text(len(rows), 'recording')}, {count_text(scenes, 'scene')}, "
        f"{duration_text(sum(row.seconds for row in rows))}, {size}",
        f"  {store.sample_rate} Hz, {_DTYPES[store.dtype]}",
        f"  {store.fingerprint}",
    ]


def level_lines(summary: Summary, rows: Sequence[RecordingInfo]) -> list[str]:
    """Levels of each scene, then its octaves as bars and numbers."""
    several = len(summary.arrays) > 1
    counts = {array.array: array.channels for array in summary.arrays}
    head = ["scene", *(["array"] if several else []), "rec", "minutes", "quiet", "RMS", "loud"]
    table = [[*head, "peak", "takes"]]
    for scene in summary.scenes:
        takes = [r.take for r in rows if (r.scene, r.array) == (scene.scene, scene.array)]
        levels = (scene.quiet_db, scene.rms_db, scene.loud_db, scene.peak_db)
        table.append(
            [
                scene.scene or "(none)",
                *([array_text(scene.array, counts[scene.array])] if several else []),
                str(scene.recordings),
                f"{scene.seconds / 60:.2f}",
                *(_number(level) for level in levels),
                _takes_text(takes),
            ]
        )
    first = 2 if several else 1
    right = range(first, first + 6)
    title = f"levels in dBFS; {_basis(summary)}"
    return ["", title, *_indented(table_lines(table, right=right)), *_octave_lines(summary)]


def array_lines(summary: Summary) -> list[str]:
    """Likeness of the channels of each array, beside that of a diffuse field."""
    lines: list[str] = []
    for array in summary.arrays:
        if array.channels < 2:
            continue
        lines += [
            "",
            f"likeness of channels, {array_text(array.array, array.channels)}, "
            f"{count_text(array.recordings, 'recording')}",
        ]
        lines += _coherence_lines(array, summary.band_centers)
        lines += _indented(_likeness_lines(array))
    return lines


def state_lines(
    check: CheckState | None,
    splits: Sequence[SplitState],
    fits: Sequence[str],
    misfits: Mapping[str, str],
    *,
    name: str,
) -> list[str]:
    """Verdict, splits, and what can train."""
    lines = ["", f"check     {_check_text(check, name)}"]
    if splits:
        for number, split in enumerate(splits):
            folds = f" ({split.folds} folds)" if split.folds > 1 else ""
            changed = f"; the store has changed: {split.changed}" if split.changed else ""
            lines.append(
                f"{'' if number else 'splits':10}{split.name}: {split.text}{folds}{changed}"
            )
    else:
        lines.append(f"splits    none; make one with: codecctl data split {name}")
    lines.append(f"profiles  that can train on it: {', '.join(fits) or 'none'}")
    lines += [f"          not {profile}: {why}" for profile, why in misfits.items()]
    return lines


def recording_lines(store: Store, summary: Summary) -> list[str]:
    """One row for each recording."""
    head = ["recording", "array", "ch", "seconds", "RMS", "source"]
    table = [
        [
            row.name,
            row.array,
            str(row.channels),
            f"{row.seconds:.2f}",
            _number(summary.levels_db[row.name]),
            row.source_name,
        ]
        for row in store.recordings
    ]
    return ["", "recordings", *_indented(table_lines([head, *table], right=(2, 3, 4)))]


def styled(line: str) -> Text:
    """A line as a terminal shows it: titles bold, bars colored, expectations dim."""
    from rich.text import Text

    text = Text(line, style="" if line.startswith(" ") else "bold")
    text.highlight_regex(f"[{BARS}]+", "cyan")
    text.highlight_regex("^ +diffuse field.*", "dim")
    return text


def frequency_text(frequency: float) -> str:
    """A band in at most four characters: `63`, `1k`."""
    return f"{frequency / 1000:g}k" if frequency >= 1000 else f"{frequency:g}"


def bars(levels_db: Sequence[float], *, top: float) -> str:
    """One character for each level, the full height at `top`, nothing 60 dB below."""
    places = [
        max(0.0, 1 + (level - top) / _RANGE_DB) * len(BARS) if level > -math.inf else 0.0
        for level in levels_db
    ]
    return "".join(BARS[min(len(BARS), math.ceil(p)) - 1] if p > 0 else " " for p in places)


def _takes_text(takes: Sequence[str]) -> str:
    """Takes that are short, such as numbers; long names belong to --recordings."""
    return shortened(takes, 24) if all(len(take) <= _LONGEST_TAKE for take in takes) else ""


def _octave_lines(summary: Summary) -> list[str]:
    names = [_scene_name(scene, summary) for scene in summary.scenes]
    width = max(map(len, names))
    finite = [b for scene in summary.scenes for b in scene.bands_db if b > -math.inf]
    top = max(finite, default=0.0)
    blank = " " * len(summary.band_centers)
    head = f"{'octave, Hz'.ljust(max(width, 10))}  {blank}  "
    head += "".join(frequency_text(center).rjust(5) for center in summary.band_centers)
    rows = [
        f"{name.ljust(max(width, 10))}  {bars(scene.bands_db, top=top)}  "
        + "".join(_number(band, 0).rjust(5) for band in scene.bands_db)
        for name, scene in zip(names, summary.scenes, strict=True)
    ]
    return ["", *_indented([head, *rows])]


def _scene_name(scene: SceneSummary, summary: Summary) -> str:
    name = scene.scene or "(none)"
    if len(summary.arrays) == 1:
        return name
    counts = {array.array: array.channels for array in summary.arrays}
    return f"{name} {array_text(scene.array, counts[scene.array])}"


def _coherence_lines(array: ArraySummary, centers: Sequence[float]) -> list[str]:
    if not array.coherence:
        return []
    width = max(map(len, _KINDS.values()))
    head = "coherence, Hz".ljust(width) + "".join(frequency_text(c).rjust(6) for c in centers)
    lines = [head]
    for kind, values in array.coherence.items():
        for name, numbers in ((_KINDS[kind], values), ("  diffuse field", array.expected[kind])):
            cells = "".join(_number(number, 2).rjust(6) for number in numbers)
            lines.append(name.ljust(width) + cells)
    return _indented(lines)


def _likeness_lines(array: ArraySummary) -> list[str]:
    lines = []
    if math.isfinite(array.correlation):
        counts = "/".join(str(count) for count in array.components)
        shares = "/".join(f"{100 * share:.1f}" for share in array.components.values())
        components = "component carries" if len(array.components) == 1 else "components carry"
        carry = f"; {counts} principal {components} {shares} % of the power"
        lines.append(f"mean |r| {array.correlation:.2f}{carry if counts else ''}")
    levels = array.channel_levels_db
    heard = [level for level in levels if level > -math.inf]
    if heard:
        low, high = levels.index(min(heard)), levels.index(max(heard))
        lines.append(
            f"levels within {max(heard) - min(heard):.1f} dB: channel {low + 1} {levels[low]:.1f}, "
            f"channel {high + 1} {levels[high]:.1f} dBFS"
        )
    silent = [str(number) for number, level in enumerate(levels, 1) if level == -math.inf]
    return [*lines, *([f"silent: channel {shortened(silent)}"] if silent else [])]


def _basis(summary: Summary) -> str:
    """What the numbers rest on."""
    if summary.whole:
        return "all samples read"
    peaks = "peaks of all samples" if summary.peaks_exact else "peaks of these"
    return f"from {summary.windows} half seconds spread evenly, {peaks}"


def _check_text(check: CheckState | None, name: str) -> str:
    if check is None:
        return (
            f"never; look for dead, clipped and swapped channels with: codecctl data check {name}"
        )
    when = f", {check.created}" if check.created else ""
    stale = f"; the store has changed since: codecctl data check {name}" if check.stale else ""
    return f"{check.verdict}{when}{stale}"


def _number(value: float, digits: int = 1) -> str:
    """Fixed digits without a minus before zeros; `-` for what is not known."""
    if math.isnan(value):
        return "-"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.") else text


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]

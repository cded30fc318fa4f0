"""What a check finds, and `check.json`, where it is kept beside the store."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from codecctl import __version__
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.store.disk import write_file
from codecctl.errors import DataError

SCHEMA = 1
REPORT_NAME = "check.json"
ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class Finding:
    """One thing that somebody who trains on a store should know."""

    kind: str
    """`dead-channel`, `swapped-channels` ...; stable, for scripts."""
    severity: str
    """`error`: the recording is useless; `warning`: look at it; `note`: good to know."""
    recording: str
    """Name; empty for what concerns the store."""
    text: str
    """What was found, with the values."""
    meaning: str
    """What it does to a training."""
    channels: tuple[int, ...] = ()
    """Counted from 1, as in the text; empty for all."""
    spans: tuple[tuple[float, float], ...] = ()
    """Seconds, start and end; empty for all of the recording."""
    measured: float | None = None
    limit: float | None = None
    """Of the measured value."""
    unit: str = ""
    others: tuple[str, ...] = ()
    """Other recordings that it is about."""


@dataclass(frozen=True)
class Report:
    """The outcome of a check of a store."""

    fingerprint: str
    """Of the store that was checked."""
    findings: tuple[Finding, ...]
    recordings: int
    hours: float
    cpu_seconds: float
    limits: Limits = field(default_factory=Limits)
    created: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    tool: str = f"codecctl {__version__}"

    def count(self, severity: str) -> int:
        """Findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """For `check.json` and `--json`."""
        content = asdict(self)
        content["findings"] = [asdict(finding) for finding in self.findings]
        return {"schema": SCHEMA, **content, "verdict": verdict(self)}

    @staticmethod
    def from_json(content: Mapping[str, object]) -> Report:
        """Read what `to_json` made.

        Raises:
            TypeError: A part is missing or of another type.
        """
        if content.get("schema") != SCHEMA:
            raise TypeError(f"schema: found {content.get('schema')!r}, needed {SCHEMA}")
        rows = content.get("findings")
        limits = content.get("limits")
        numbers = [content.get(key) for key in ("recordings", "hours", "cpu_seconds")]
        texts = [content.get(key) for key in ("fingerprint", "created", "tool")]
        if not isinstance(rows, list) or not isinstance(limits, dict):
            raise TypeError("findings or limits are missing")
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("fingerprint, created or tool are missing")
        if not all(isinstance(number, (int, float)) for number in numbers):
            raise TypeError("recordings, hours or cpu_seconds are missing")
        return Report(
            fingerprint=str(texts[0]),
            findings=tuple(_finding(row) for row in rows),
            recordings=int(str(numbers[0])),
            hours=float(str(numbers[1])),
            cpu_seconds=float(str(numbers[2])),
            limits=Limits(**limits),
            created=str(texts[1]),
            tool=str(texts[2]),
        )


def verdict(report: Report) -> str:
    """One line for all of it."""
    errors, warnings, notes = (report.count(severity) for severity in SEVERITIES)
    hours = f"{report.recordings} recordings, {report.hours:.3g} h"
    if report.recordings == 1:
        hours = f"1 recording, {report.hours:.3g} h"
    if not errors + warnings:
        return f"clean: {hours}, nothing to look at" + (f", {_plural(notes, 'note')}" * (notes > 0))
    parts = [_plural(errors, "error")] * (errors > 0) + [_plural(warnings, "warning")] * (
        warnings > 0
    )
    return f"{' and '.join(parts)} in {hours}" + (f", {_plural(notes, 'note')}" * (notes > 0))


def write_report(store_folder: Path, report: Report) -> Path:
    """Keep a report beside the store; replaces the one before, whole or not at all.

    Raises:
        CodecctlError: The disk does not take it.
    """
    path = store_folder / REPORT_NAME
    write_file(path, json.dumps(report.to_json(), indent=1, allow_nan=False).encode())
    return path


def read_report(store_folder: Path) -> Report | None:
    """The last report of a store, None where it was never checked.

    It is stale where its `fingerprint` is not the store's.

    Raises:
        DataError: It is damaged; checking again replaces it.
    """
    path = store_folder / REPORT_NAME
    try:
        content = json.loads(path.read_bytes())
        return Report.from_json(content if isinstance(content, dict) else {})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        fix = f"check again: codecctl data check {store_folder}"
        raise DataError(f"{path}: damaged ({error}); {fix}") from error


def sorted_findings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By recording, the worst first; what concerns the store comes last."""
    return tuple(
        sorted(
            findings,
            key=lambda one: (
                not one.recording,
                one.recording,
                SEVERITIES.index(one.severity),
                one.kind,
                one.channels,
            ),
        )
    )


def _finding(row: object) -> Finding:
    if not isinstance(row, dict) or row.get("severity") not in SEVERITIES:
        raise TypeError("a finding is not one")
    values = dict(row)
    for key in ("channels", "others"):
        values[key] = tuple(values.get(key, ()))
    values["spans"] = tuple((float(start), float(stop)) for start, stop in values.get("spans", ()))
    return Finding(**values)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"

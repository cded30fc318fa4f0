from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from codecctl.datasets.check import Finding, Limits, Report, read_report, verdict, write_report
from codecctl.datasets.check.finding import sorted_findings
from codecctl.errors import CodecctlError, DataError


def finding(severity: str = "warning", recording: str = "Beach.1") -> Finding:
    return Finding(
        "dropout", severity, recording, "text", "meaning",
        channels=(2, 3), spans=((1.0, 1.5),), measured=0.5, limit=0.01, unit="s", others=("b",),
    )  # fmt: skip


def report(*findings: Finding) -> Report:
    return Report("xxh3-128:0", findings, 3, 1.5, 2.25)


def test_a_report_reads_back_as_it_was_written(tmp_path: Path) -> None:
    written = report(finding(), finding("note", ""))
    assert write_report(tmp_path, written) == tmp_path / "check.json"
    assert read_report(tmp_path) == written
    content = json.loads((tmp_path / "check.json").read_text())
    assert content["schema"] == 1
    assert content["verdict"] == "1 warning in 3 recordings, 1.5 h, 1 note"
    assert content["limits"] == asdict(Limits())


def test_a_store_that_was_never_checked_has_no_report(tmp_path: Path) -> None:
    assert read_report(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(schema=2),
        lambda content: content.pop("findings"),
        lambda content: content["findings"][0].update(severity="bad"),
        lambda content: content["findings"][0].pop("text"),
        lambda content: content["findings"][0].update(spans=[[1]]),
        lambda content: content["limits"].update(unknown=1),
        lambda content: content.update(hours="long"),
        lambda content: content.update(findings=[1]),
    ],
)
def test_a_damaged_report_says_how_to_replace_it(
    tmp_path: Path, change: Callable[[dict[str, object]], object]
) -> None:
    path = write_report(tmp_path, report(finding()))
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="check again: codecctl data check"):
        read_report(tmp_path)


def test_a_report_that_is_no_json_is_damaged(tmp_path: Path) -> None:
    for text in ("{", "[]", "\xff"):
        (tmp_path / "check.json").write_text(text, encoding="latin-1")
        with pytest.raises(DataError, match=r"check\.json: damaged"):
            read_report(tmp_path)


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises((CodecctlError, OSError), match="gone"):
        write_report(tmp_path / "gone", report())


def test_the_verdict_counts_errors_and_warnings() -> None:
    assert verdict(report()) == "clean: 3 recordings, 1.5 h, nothing to look at"
    both = report(finding("error"), finding(), finding())
    assert verdict(both) == "1 error and 2 warnings in 3 recordings, 1.5 h"


def test_the_worst_comes_first_and_the_store_last() -> None:
    order = sorted_findings(
        [finding("note", ""), finding("note"), finding("error"), finding("error", "Alley.1")]
    )
    assert [(one.recording, one.severity) for one in order] == [
        ("Alley.1", "error"),
        ("Beach.1", "error"),
        ("Beach.1", "note"),
        ("", "note"),
    ]

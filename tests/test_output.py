"""What is written to whom, with and without a terminal, and when nobody reads on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from codecctl.engine.signals import StopSignals
from codecctl.output import progress, result_json

WRITES = """
import sys
from codecctl.output import note
note("first")
sys.stdin.readline()  # the reader of stderr leaves here
for line in range(3):
    note("more")
sys.exit(75)
"""


def test_notes_go_on_and_the_exit_code_stays_when_nobody_reads_them() -> None:
    """Ctrl-C in `codecctl train 2>&1 | tee log` ends the tee as well."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stdin is not None
    assert process.stderr.readline() == "first\n"
    process.stderr.close()
    process.stdin.write("\n")
    process.stdin.close()
    assert process.wait(timeout=20) == 75


def test_results_are_one_json_document_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    result_json({"name": "Übung", "hours": 1.5})
    written = capsys.readouterr()
    assert written.out == '{\n  "name": "Übung",\n  "hours": 1.5\n}\n'
    assert written.err == ""


def test_progress_off_a_terminal_is_silent_for_the_first_half_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("ingest", 10, unit="MB") as advance:
        advance(5, "Beach.1")
    assert capsys.readouterr().err == ""


def test_progress_off_a_terminal_says_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 40.0])
    monkeypatch.setattr("codecctl.output.time.monotonic", lambda: next(clock))
    with progress("ingest", 100, unit="MB") as advance:
        advance(20, "Beach.1")
    assert capsys.readouterr().err == "ingest: 20 of 100 MB, 0.5 MB/s, 160 s left Beach.1\n"


def test_a_hangup_that_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.asked == ""
    finally:
        signal.signal(signal.SIGHUP, before)

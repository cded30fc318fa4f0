from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.data_check import check
from codecctl.datasets.check import read_report
from codecctl.datasets.store import Store
from codecctl.errors import DataError, NotFoundError

from .check_scenes import mono_noise


@pytest.fixture
def store(make_store: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store `yard` of a clean recording and one with a dead channel."""
    monkeypatch.chdir(tmp_path)
    holed = mono_noise(3, seed=1)
    holed[1] = 0
    return make_store({"Beach.1": mono_noise(3), "Beach.2": holed}, name="yard")


@pytest.mark.usefixtures("store")
def test_findings_are_grouped_by_recording_with_a_verdict_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check("yard")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Beach.2"
    assert lines[1] == "  warning  dead-channel: channel 2: no sample differs from another"
    assert lines[-1].startswith("stores/yard: 1 warning in 2 recordings")


def test_the_result_is_kept_with_the_fingerprint_of_the_store(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check("yard", as_json=True)
    content = json.loads(capsys.readouterr().out)
    kept = read_report(store)
    assert kept is not None
    assert content["schema"] == 1
    assert content["fingerprint"] == kept.fingerprint == Store.open(store).fingerprint
    assert [row["channels"] for row in content["findings"]] == [[2]]
    assert sorted(content["findings"][0]) == [
        "channels", "kind", "limit", "meaning", "measured", "others", "recording", "severity",
        "spans", "text", "unit",
    ]  # fmt: skip


def test_strict_makes_warnings_an_error(store: Path) -> None:
    with pytest.raises(DataError, match="1 warning, and --strict"):
        check("yard", strict=True)
    assert read_report(store) is not None


def test_a_useless_recording_is_an_error(
    make_store: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_store({"a": np.zeros((2, 8000), dtype=np.float32)}, name="mute")
    with pytest.raises(DataError, match="1 finding of severity error"):
        check("mute")


def test_chosen_recordings_are_shown_and_nothing_is_kept(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check("yard", recording=["Beach.1"])
    assert "clean: 1 recording" in capsys.readouterr().out
    assert read_report(store) is None
    with pytest.raises(NotFoundError, match=r"Beach\.9"):
        check("yard", recording=["Beach.9"])

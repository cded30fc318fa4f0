"""`encode --lossless` and `decode` as they are called, and what they say where they cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.errors import DataError, UsageError

from .test_lossless_arrays import field, write_wav


def test_a_file_comes_back_without_a_model(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", field(300, 2), 16)
    coded, back = tmp_path / "a.cctl", tmp_path / "b.wav"
    told = CliRunner().invoke(app, ["encode", str(wav), "--lossless", "--json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["coded_bytes"] == coded.stat().st_size
    assert CliRunner().invoke(app, ["decode", str(coded), "-o", str(back)]).exit_code == 0
    assert back.read_bytes() == wav.read_bytes()


@pytest.mark.parametrize("more", [[], ["--lossless", "--model", "a.npz"]])
def test_encode_takes_a_model_or_none_not_both(tmp_path: Path, more: list[str]) -> None:
    wav = write_wav(tmp_path / "a.wav", field(30, 1), 16)
    told = CliRunner().invoke(app, ["encode", str(wav), *more])
    assert isinstance(told.exception, UsageError)
    assert "either --lossless or --model NAME.npz" in str(told.exception)
    assert not (tmp_path / "a.cctl").exists()


def test_what_a_model_coded_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav, coded = write_wav(tmp_path / "a.wav", field(30, 1), 16), tmp_path / "a.cctl"
    monkeypatch.setattr("codecctl.engine.lossless.arrays.MODEL", "0123456789abcdef")
    assert CliRunner().invoke(app, ["encode", str(wav), "--lossless"]).exit_code == 0
    monkeypatch.undo()
    told = CliRunner().invoke(app, ["decode", str(coded), "-o", str(tmp_path / "b.wav")])
    assert isinstance(told.exception, DataError)
    assert "coded with the model 0123456789ab; decode it with --model" in str(told.exception)

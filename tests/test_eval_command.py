"""`codecctl eval` as it is called: on a run's recordings, on others, without a model; refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from codecctl.app import app
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.files import encode_file
from codecctl.engine.lossless_source import lossless_sides, open_stream
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.run_profile import profile_of

from .lossless_models import trained, write_language_run
from .test_lossless_arrays import field, write_wav
from .trained_runs import write_run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five mono recordings in a folder, and a run that was trained on it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audio").mkdir()
    for index in range(5):
        write_wav(tmp_path / f"audio/{index}.wav", field(70 + index, 1) * (index + 1), 16)
    write_language_run(tmp_path / "runs/lm", "data.audio_dir=audio", fingerprint="other")
    return tmp_path


def evaluated(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["eval", *arguments])


def document(done: Result) -> dict[str, Any]:
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.long
def test_a_run_is_evaluated_on_the_recordings_that_it_validates_on(home: Path) -> None:
    done = evaluated("lm", "--json")
    found = document(done)
    profile = profile_of(home / "runs/lm")
    assert isinstance(profile, LosslessProfile)
    data = profile.data
    sides = lossless_sides(data, open_stream(data, home, "auto"))
    own = [row for row in found["recordings"] if row["coder"] == "this model"]
    assert [row["recording"] for row in own] == list(sides.validation)
    assert (found["run"], found["step"], found["weights"]) == ("lm", 30, "last")
    assert "is not what this run was trained on" in done.stderr
    # 16 bits that the model hears as 8: all coders get these.
    name = sides.validation[0]
    samples = field(70 + int(name[0]), 1) * (int(name[0]) + 1) >> 8
    wav = write_wav(home / "eight.wav", samples, 8)
    sizes = encode_file(wav, home / "x.cctl", ExactTransformer(trained(8)), block=1024)
    assert own[0]["coded_bytes"] == sizes.coded
    assert own[0]["raw_bytes"] == own[0]["samples"] == len(samples)
    assert {row["raw_bytes"] for row in found["total"]} == {len(samples)}


@pytest.mark.long
def test_other_recordings_and_less_of_them(home: Path) -> None:
    write_wav(home / "two.wav", field(90, 2), 16)
    done = evaluated("lm:30", "--on", "two.wav", "--on", "audio/1.wav", "--seconds", "0.005")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("lm:step-000000030: 2 recordings, 0.0 s, 80 samples of 8 bits")
    assert [line.split("  ")[0] for line in lines[2:6]] == [
        "this model",
        "gzip -9",
        "xz -6 (lzma)",
        "FLAC -8",
    ]
    assert [line.split()[0] for line in lines[-2:]] == ["two.wav", "audio/1.wav"]


@pytest.mark.long
def test_coding_without_a_model_is_evaluated_on_files_and_folders(home: Path) -> None:
    files = document(evaluated("--lossless", "audio/0.wav", "audio/1.wav", "--json"))
    assert [row["scene"] for row in files["scenes"]] == ["audio/0.wav", "audio/1.wav"]
    coded = home / "0.cctl"
    done = CliRunner().invoke(app, ["encode", "audio/0.wav", "--lossless", "-o", str(coded)])
    assert done.exit_code == 0
    first = files["scenes"][0]["coders"][0]
    assert first["coder"] == "encode --lossless"
    assert first["coded_bytes"] == coded.stat().st_size
    assert first["bits_per_sample"] == pytest.approx(8 * first["coded_bytes"] / 70)
    folder = document(evaluated("--lossless", "audio", "--json"))
    assert folder["total"][0]["samples"] == sum(range(70, 75))


@pytest.mark.long
def test_what_eval_cannot_is_one_line(home: Path) -> None:
    write_run(home / "runs/codec")
    (home / "notes.txt").write_text("no audio", encoding="utf-8")
    for arguments, code, message in (
        (["codec"], 2, "codec: found a profile of mode mono; eval evaluates lossless"),
        (["nothing"], 5, "nothing: no run of this name or path; have: codec, lm"),
        (["lm:31"], 5, "found no checkpoint '31'"),
        (["lm", "codec"], 2, "found 2 runs (lm, codec), needed one"),
        (["lm", "--weights", "average"], 5, "found no averaged weights"),
        (["lm", "--on", "gone.wav"], 5, "gone.wav: no such file, folder or store"),
        (["lm", "--on", "notes.txt"], 4, "notes.txt: "),
        (["lm", "--on", "audio", "--on", "runs"], 2, "found 2 sources (audio, runs), needed audio"),
        (["--lossless", "audio/0.wav", "gone.wav"], 5, "gone.wav: no such file"),
        (["--lossless", "audio", "--on", "audio"], 2, "--lossless: needs no --on"),
    ):
        failed = evaluated(*arguments)
        assert getattr(failed.exception, "exit_code", None) == code, (arguments, failed.output)
        assert message in str(failed.exception) and "\n" not in str(failed.exception), arguments

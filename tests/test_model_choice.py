"""`--model RUN[:CKPT]` of encode and decode beside the exported file of the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from codecctl.app import app
from codecctl.engine.lossless.disk import read_header
from codecctl.engine.lossless_export import export
from codecctl.engine.networks.transformer import Transformer
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.run_profile import profile_of

from .lossless_models import trained, write_language_run
from .test_lossless_arrays import field, write_wav
from .trained_runs import write_run

MODEL = ("--model", "-m")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stereo recording of 8 bits, and a run whose blocks are of 40 samples."""
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "a.wav", field(70, 2) >> 8, 8)
    write_language_run(tmp_path / "runs/lm", "data.stereo_blocking_n=40")
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def exported(network: Transformer, run: Path) -> str:
    """The weights of a network as the training of a run exports them; the name of the file."""
    profile = profile_of(run)
    assert isinstance(profile, LosslessProfile)
    Path("train.log").write_text("a line\n", encoding="utf-8")
    return str(export(network, profile, log=Path("train.log")).weights)


@pytest.mark.long
def test_a_run_and_what_it_exported_code_the_same_file(home: Path) -> None:
    npz = exported(trained(8), home / "runs/lm")
    folder = "runs/lm/checkpoints/step-000000030"
    coded = []
    for index, model in enumerate((npz, "lm", "lm:last", "lm:30", "runs/lm", folder)):
        done = call("encode", "a.wav", MODEL[index % 2], model, "-o", f"{index}.cctl")
        assert done.exit_code == 0, done.output
        coded.append(Path(f"{index}.cctl").read_bytes())
    assert coded == coded[:1] * 6
    assert read_header(Path("0.cctl")).block == 40
    for index, model in enumerate(("lm:30", npz)):
        done = call("decode", f"{index}.cctl", "--model", model)
        assert done.exit_code == 0, done.output
        assert Path(f"{index}.wav").read_bytes() == Path("a.wav").read_bytes()
    assert "model: lm:30, weights of its last step" in call("encode", "a.wav", "-m", "lm").stderr


@pytest.mark.long
def test_averaged_weights_code_where_a_checkpoint_has_them(home: Path) -> None:
    average = trained(8).layout.build()
    average.load_state_dict({key: 0.5 * value for key, value in trained(8).state_dict().items()})
    write_language_run(home / "runs/averaged", average=average)
    done = call("encode", "a.wav", "--model", "averaged")
    assert done.exit_code == 0 and "model: averaged:30, averaged weights" in done.stderr
    npz = exported(average, home / "runs/averaged")
    assert call("decode", "a.cctl", "-m", npz, "-o", "b.wav").exit_code == 0
    assert Path("b.wav").read_bytes() == Path("a.wav").read_bytes()
    other = call("decode", "a.cctl", "-m", "lm", "-o", "c.wav")
    assert getattr(other.exception, "exit_code", None) == 4
    assert "coded with the model" in str(other.exception) and not Path("c.wav").exists()


def test_a_block_may_still_be_chosen(home: Path) -> None:
    assert call("encode", "a.wav", "--model", "lm", "--block", "16").exit_code == 0
    assert read_header(home / "a.cctl").block == 16


@pytest.mark.long
def test_what_is_no_model_is_one_line_and_writes_nothing(home: Path) -> None:
    write_run(home / "runs/codec")
    write_language_run(home / "runs/new")
    for file in (home / "runs/new/checkpoints").rglob("*"):
        file.unlink() if file.is_file() or file.is_symlink() else None
    write_language_run(home / "runs/spoiled")
    torch.save({}, home / "runs/spoiled/checkpoints/step-000000030/weights.safetensors")
    assert call("encode", "a.wav", "--model", "lm", "-o", "coded").exit_code == 0
    for model, code, message in (
        ("codec", 3, "codec: found a profile of mode mono, needed a language model"),
        ("nothing", 5, "nothing: no run of this name or path; have: codec, lm"),
        ("lm:31", 5, "lm: found no checkpoint '31', needed best, last or a step: 30"),
        ("new", 5, "new: found no checkpoint; train it on"),
        ("spoiled", 4, "step-000000030: "),
        ("gone.npz", 5, "gone.npz: no such file; needed weights that train exported, or a run"),
        ("a.wav", 4, "a.wav: no exported weights"),
    ):
        for words in (["encode", "a.wav"], ["decode", "coded"]):
            failed = call(*words, "--model", model, "-o", "out")
            assert getattr(failed.exception, "exit_code", None) == code, (model, failed.output)
            assert message in str(failed.exception), model
            assert "\n" not in str(failed.exception) and not Path("out").exists()

"""Exported codecs give the codes and the audio of the run in the programs that they are for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.engine.build import build_networks
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.errors import DataError, NotFoundError, ProfileError, UsageError
from tests.trained_runs import BOOKS, NARROW, write_run

pytestmark = pytest.mark.long

VARIANTS = {
    "paired": (),
    "levels": ("model.normalize=none",),
    "whole": (
        "model.generator.causal=false",
        "model.generator.trim_right_ratio=0.5",
        "model.generator.pad_mode=zero",
        "model.generator.skip=identity",
        "model.generator.strides=[3, 4]",
        "model.generator.residual_layers=2",
        "model.quantizer.bandwidths=[8, 16]",
    ),
    "learned": (
        "model.quantizer={type='vq', num_codebooks=3, groups=1, codebook_size=16, "
        "kmeans_init=true, kmeans_iterations=5, dropout=false, bandwidths=[0.3, 0.9]}",
    ),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODECCTL_HOME", str(tmp_path))
    return tmp_path


def export(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["export", *arguments])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def overrides(variant: str) -> tuple[str, ...]:
    return VARIANTS[variant] if variant == "learned" else (*BOOKS, *VARIANTS[variant])


def noise(samples: int = 24_000) -> Tensor:
    return 0.1 * torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def coded(network: CodecNetwork, audio: Tensor) -> tuple[Tensor, Tensor]:
    done = network(audio)
    return done.codes, done.estimate


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("variant", VARIANTS)
def test_transformers_loads_the_folder_and_codes_and_decodes_alike(
    home: Path, variant: str
) -> None:
    transformers = pytest.importorskip("transformers", reason="extra oracles is not installed")
    network = write_run(home / "runs" / "a", *overrides(variant))
    export("a", "--format", "transformers", "-o", str(home / "hf"))
    theirs = transformers.EncodecModel.from_pretrained(home / "hf").eval()
    codes, audio = coded(network, noise())
    with torch.no_grad():
        found = theirs.encode(noise(), bandwidth=theirs.config.target_bandwidths[-1])
        decoded = theirs.decode(found.audio_codes, found.audio_scales)[0][..., : audio.shape[-1]]
    assert torch.equal(found.audio_codes[0], codes)
    torch.testing.assert_close(decoded, audio, rtol=0, atol=1e-6)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_encodec_package_loads_the_file_and_codes_and_decodes_alike(
    home: Path, variant: str
) -> None:
    pytest.importorskip("encodec", reason="extra oracles is not installed")
    network = write_run(home / "runs" / "a", *overrides(variant))
    export("a", "--format", "encodec", "-o", str(home / "e.safetensors"))
    theirs = package_of(home / "e.safetensors")
    codes, audio = coded(network, noise())
    with torch.no_grad():
        (frame,) = theirs.encode(noise())
        decoded = theirs.decode([frame])[..., : audio.shape[-1]]
    assert torch.equal(frame[0], codes)
    torch.testing.assert_close(decoded, audio, rtol=0, atol=1e-6)


def package_of(path: Path) -> Any:
    """The package's model as the metadata of an export describes it, strictly loaded."""
    from encodec.model import EncodecModel
    from encodec.modules.seanet import SEANetDecoder, SEANetEncoder
    from encodec.quantization.vq import ResidualVectorQuantizer

    with safe_open(path, framework="pt") as file:
        arguments = json.loads(file.metadata()["encodec"])
    model = EncodecModel(
        SEANetEncoder(**arguments["seanet"]),
        SEANetDecoder(**arguments["seanet"]),
        ResidualVectorQuantizer(**arguments["quantizer"]),
        **arguments["model"],
    )
    model.load_state_dict(load_file(path))
    return model.eval()


def test_a_plain_export_holds_the_weights_and_all_that_a_reader_needs(home: Path) -> None:
    network = write_run(home / "runs" / "a", *BOOKS)
    printed = json.loads(export("a:last", "-o", str(home / "w.safetensors"), "--json"))
    state = network.state_dict()
    found = load_file(home / "w.safetensors")
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    with safe_open(home / "w.safetensors", framework="pt") as file:
        facts = file.metadata()
    wanted = ("mode", "sample_rate", "strides", "num_codebooks", "codebook_size", "normalize")
    assert {name: facts[name] for name in (*wanted, "step", "weights", "bitrate_kbps")} == {
        "mode": "mono",
        "sample_rate": "24000",
        "strides": "[2, 4, 5, 8]",
        "num_codebooks": "2",
        "codebook_size": "16",
        "normalize": "rms",
        "step": "7",
        "weights": "last",
        "bitrate_kbps": "0.632",  # 2 x 4 bits, 75 times a second, and the level
    }
    assert facts["profile_hash"] == printed["profile_hash"] != ""
    (written,) = printed["files"]
    assert written["bytes"] == (home / "w.safetensors").stat().st_size


def test_folded_weights_are_those_of_a_network_without_weight_norm(home: Path) -> None:
    network = write_run(home / "runs" / "a", *BOOKS)
    export("a", "--fold", "-o", str(home / "w.safetensors"))
    plain, _ = build_networks(
        load_profile("mono", (*NARROW, *BOOKS, "model.generator.norm=none")).profile
    )
    plain.load_state_dict(load_file(home / "w.safetensors"))
    codes, audio = coded(network, noise(2400))
    folded = coded(plain.eval(), noise(2400))
    assert torch.equal(folded[0], codes)
    torch.testing.assert_close(folded[1], audio, rtol=0, atol=1e-6)


@pytest.mark.parametrize("profile", ["baseline-1ch", "baseline-32ch", "mono", "paired"])
def test_every_profile_exports(home: Path, profile: str) -> None:
    network = write_run(home / "runs" / "a", profile=profile)
    export("a", "-o", str(home / "w.safetensors"))
    assert load_file(home / "w.safetensors").keys() == network.state_dict().keys()


def test_averaged_weights_go_first_and_those_of_the_last_step_on_request(home: Path) -> None:
    average = write_run(home / "runs" / "a", *BOOKS, averaged=True).state_dict()
    said = export("a", "-o", str(home / "first.safetensors"))
    export("a", "--weights", "last", "-o", str(home / "last.safetensors"))
    first, last = (load_file(home / f"{name}.safetensors") for name in ("first", "last"))
    key = "autoencoder.encoder.layers.0.conv.bias"
    assert "averaged weights" in said
    assert torch.equal(first[key], average[key])
    assert torch.equal(first[key], 1.5 * last[key])


@pytest.mark.parametrize(
    ("profile", "form", "key"),
    [
        ("baseline-1ch", "transformers", r"^model.quantizer.type: found none, needed rvq or vq"),
        (
            "baseline-32ch",
            "encodec",
            r"^model.generator.channels: found 32, needed 1 or 2: encodec",
        ),
    ],
)
def test_what_another_program_has_no_network_for_names_the_key(
    home: Path, profile: str, form: str, key: str
) -> None:
    write_run(home / "runs" / "a", profile=profile)
    with pytest.raises(ProfileError, match=key):
        export("a", "--format", form, "-o", str(home / "out"))
    assert not (home / "out").exists()


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("model.generator.norm=none", "model.generator.norm: found none, needed weight_norm"),
        ("model.generator.lstm_layers=0", "model.generator.lstm_layers: found 0, needed 1 or more"),
        ("model.normalize=gain", "model.normalize: found gain, needed none or rms"),
        ("model.quantizer.groups=2", "model.quantizer.groups: found 2, needed 1"),
        (
            "model.quantizer.codebook_size=12",
            "model.quantizer.codebook_size: found 12, needed a po",
        ),
    ],
)
def test_each_key_that_transformers_has_no_word_for_is_named(
    home: Path, override: str, key: str
) -> None:
    write_run(home / "runs" / "a", *BOOKS, override)
    with pytest.raises(ProfileError, match=f"^{key}"):
        export("a", "--format", "transformers", "-o", str(home / "out"))


def test_an_existing_target_stays_without_force_and_is_replaced_whole_with_it(home: Path) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    target = home / "w.safetensors"
    target.write_text("mine")
    with pytest.raises(UsageError, match=r"w.safetensors: exists already"):
        export("a", "-o", str(target))
    assert target.read_text() == "mine"
    export("a", "-o", str(target), "--force")
    assert len(load_file(target)) > 50
    assert {path.name for path in home.iterdir()} == {"runs", "w.safetensors"}


def test_force_deletes_no_folder_with_other_files(home: Path) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    (home / "hf").mkdir()
    (home / "hf" / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match=r"found thesis.tex, which is of no export"):
        export("a", "--format", "transformers", "--force", "-o", str(home / "hf"))
    assert (home / "hf" / "thesis.tex").read_text() == "mine"


def test_a_folder_that_cannot_be_written_leaves_nothing(home: Path) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    (home / "file").write_text("")
    with pytest.raises(Exception, match=r"out: not written: "):
        export("a", "-o", str(home / "file" / "out"))
    assert {path.name for path in home.iterdir()} == {"runs", "file"}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("b", NotFoundError, r"^b: no run of this name or path; have: a"),
        ("a:9", NotFoundError, r"^a: found no checkpoint '9', needed best, last or a step: 7"),
        ("a:best", NotFoundError, r"^a: found no checkpoint 'best'"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    home: Path, given: str, error: type[Exception], message: str
) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    with pytest.raises(error, match=message):
        export(given, "-o", str(home / "w"))


def test_a_checkpoint_can_be_named_by_step_and_by_folder(home: Path) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    folder = home / "runs" / "a" / "checkpoints" / "step-000000007"
    for index, given in enumerate(("a:7", str(folder), f"{home / 'runs' / 'a'}:last")):
        export(given, "-o", str(home / f"{index}.safetensors"))
    first, *others = (load_file(home / f"{index}.safetensors") for index in range(3))
    for other in others:
        assert all(torch.equal(first[name], other[name]) for name in first)


def test_a_damaged_checkpoint_is_not_exported(home: Path) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    weights = home / "runs" / "a" / "checkpoints" / "step-000000007" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(DataError, match=r"weights.safetensors does not match its hash"):
        export("a", "-o", str(home / "w"))


def test_onnx_is_refused_in_one_line(home: Path) -> None:
    with pytest.raises(UsageError, match=r"^--format onnx: this version does not write it"):
        export("a", "--format", "onnx", "-o", "x")

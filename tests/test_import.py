"""Weights from elsewhere become a run whose codes are those of the program that they are of."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.engine.rundir import list_checkpoints, read_json, summarize_run
from codecctl.engine.trained import load_trained
from codecctl.errors import DataError, NotFoundError, UsageError
from tests.trained_runs import BOOKS, write_run

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODECCTL_HOME", str(tmp_path))
    return tmp_path


def command(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None:
        raise done.exception
    return done.stdout


def imported(run: Path) -> Any:
    return load_trained(run / "checkpoints" / "step-000000000")


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_the_state_dict_that_the_package_loads_codes_alike_here(home: Path) -> None:
    encodec = pytest.importorskip("encodec", reason="extra oracles is not installed")
    torch.manual_seed(0)
    theirs = encodec.EncodecModel.encodec_model_24khz(pretrained=False).eval()
    for layer in theirs.quantizer.vq.layers:
        layer.codebook.normal_()
    torch.save(theirs.state_dict(), home / "encodec_24khz-d7cc33bc.th")
    command("import", str(home / "encodec_24khz-d7cc33bc.th"), "--name", "meta")
    ours = imported(home / "runs" / "meta")
    assert ours.network.quantizer.num_codebooks == 32
    assert ours.profile.model.normalize == "none"
    assert ours.profile.model.quantizer.bandwidths == (1.5, 3.0, 6.0, 12.0, 24.0)
    audio = 0.1 * torch.randn(1, 1, 6000)
    with torch.no_grad():
        coded = ours.network(audio)
        (frame,) = theirs.encode(audio)
        decoded = theirs.decode([frame])[..., :6000]
    assert torch.equal(coded.codes, frame[0])
    torch.testing.assert_close(coded.estimate, decoded, rtol=0, atol=1e-6)
    # And back: the state dict of the package, to the last bit, but for averages that were none.
    command("export", "meta", "--format", "encodec", "-o", str(home / "back.safetensors"))
    back, state = load_file(home / "back.safetensors"), theirs.state_dict()
    assert back.keys() == state.keys()
    averages = ("inited", "embed_avg", "cluster_size")
    assert all(torch.equal(back[k], state[k]) for k in state if not k.endswith(averages))


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("normalize", [True, False])
def test_a_folder_that_transformers_saved_codes_alike_here(home: Path, normalize: bool) -> None:
    transformers = pytest.importorskip("transformers", reason="extra oracles is not installed")
    torch.manual_seed(0)
    config = transformers.EncodecConfig(
        num_filters=2,
        hidden_size=8,
        upsampling_ratios=[4, 3],
        codebook_size=16,
        target_bandwidths=[8.0, 24.0],
        use_causal_conv=False,
        use_conv_shortcut=False,
        normalize=normalize,
    )
    theirs = transformers.EncodecModel(config).eval()
    for layer in theirs.quantizer.layers:
        layer.codebook.embed.normal_()
    theirs.save_pretrained(home / "hf")
    command("import", str(home / "hf"))
    ours = imported(home / "runs" / "hf")
    audio = 0.1 * torch.randn(2, 1, 6000)
    with torch.no_grad():
        coded = ours.network(audio)
        found = theirs.encode(audio, bandwidth=24.0)
        decoded = theirs.decode(found.audio_codes, found.audio_scales)[0][..., :6000]
    assert torch.equal(coded.codes, found.audio_codes[0])
    torch.testing.assert_close(coded.estimate, decoded, rtol=0, atol=1e-6)


@pytest.mark.parametrize("form", ["encodec", "transformers"])
def test_an_export_comes_back_as_it_was(home: Path, form: str) -> None:
    before = write_run(home / "runs" / "a", *BOOKS, "model.generator.strides=[2, 3]", *WIDE)
    target = home / ("b" if form == "transformers" else "b.safetensors")
    command("export", "a", "--format", form, "-o", str(target))
    command("import", str(target))
    after = imported(home / "runs" / "b")
    ours, theirs = before.state_dict(), after.network.state_dict()
    assert ours.keys() == theirs.keys()
    # Random averages are not those of the entries, and are replaced.
    kept = [name for name in ours if name not in ("quantizer.sums", "quantizer.counts")]
    assert all(torch.equal(ours[name], theirs[name]) for name in kept)
    assert torch.equal(theirs["quantizer.sums"], ours["quantizer.codebooks"])
    assert after.profile.model.normalize == "rms"


WIDE = ("model.quantizer.bandwidths=[16, 32]",)


def test_averages_of_the_entries_are_kept(home: Path) -> None:
    state = exported(home)
    counts = torch.rand(16) + 1
    for stage in range(2):
        prefix = f"quantizer.vq.layers.{stage}._codebook."
        state[prefix + "cluster_size"] = counts.clone()
        state[prefix + "embed_avg"] = state[prefix + "embed"] * counts[:, None]
    save_file(state, home / "c.safetensors", metadata=metadata(home / "b.safetensors"))
    said = command("import", str(home / "c.safetensors"), "--json")
    assert json.loads(said)["notes"] == []
    found = imported(home / "runs" / "c").network.state_dict()
    assert torch.equal(found["quantizer.counts"], torch.stack([counts, counts]))


def test_an_imported_run_is_listed_and_has_a_checkpoint(home: Path) -> None:
    exported(home)
    command("import", str(home / "b.safetensors"), "--name", "mine")
    run = home / "runs" / "mine"
    summary = summarize_run(run)
    (checkpoint,) = list_checkpoints(run)
    assert (summary.status, summary.profile, summary.step) == ("finished", "mono", 0)
    assert (checkpoint.name, checkpoint.is_best, checkpoint.is_last) == (
        "step-000000000",
        True,
        True,
    )
    assert read_json(run / "profile.json")["imported"] == {
        "from": str(home / "b.safetensors"),
        "kind": "encodec",
        "notes": [
            "codebooks: found averages that do not belong to the entries; each entry starts with "
            "an equal count"
        ],
    }
    assert "mine" in command("runs", "list")


def test_an_imported_run_is_no_training_to_resume(home: Path) -> None:
    exported(home)
    command("import", str(home / "b.safetensors"), "--name", "mine")
    with pytest.raises(UsageError, match=r"^mine: found imported weights, needed .*: codecctl tr"):
        command("train", "--run", "mine", "--resume")


class Code:
    """Pickled, it asks the reader to run a function."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (eval, ("1/0",))


def test_a_pickle_runs_no_code(home: Path) -> None:
    torch.save({"encoder.model.0": Code()}, home / "evil.th")
    with pytest.raises(DataError, match=r"evil.th: found no state dict that loads without running"):
        command("import", str(home / "evil.th"))
    (home / "plain.th").write_bytes(pickle.dumps(Code(), protocol=4))
    with pytest.raises(DataError, match=r"plain.th: found no state dict"):
        command("import", str(home / "plain.th"))
    assert not (home / "runs").exists()


def break_name(state: dict[str, Tensor]) -> None:
    del state["encoder.model.0.conv.conv.bias"]


def break_shape(state: dict[str, Tensor]) -> None:
    state["encoder.model.0.conv.conv.bias"] = torch.zeros(3)


def break_value(state: dict[str, Tensor]) -> None:
    state["encoder.model.0.conv.conv.bias"][0] = float("nan")


def break_books(state: dict[str, Tensor]) -> None:
    state["quantizer.vq.layers.1._codebook.embed"] = torch.zeros(8, 8)


def add_name(state: dict[str, Tensor]) -> None:
    state["lm.weight"] = torch.zeros(3)


def no_books(state: dict[str, Tensor]) -> None:
    for name in [name for name in state if name.startswith("quantizer")]:
        del state[name]


def group_norm(state: dict[str, Tensor]) -> None:
    state["encoder.model.0.conv.norm.weight"] = torch.zeros(3)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (break_name, "found no autoencoder.encoder.layers.0.conv.bias, needed 2$"),
        (break_shape, "autoencoder.encoder.layers.0.conv.bias: found 3, needed 2$"),
        (break_value, "encoder.model.0.conv.conv.bias: found values that are not finite"),
        (break_books, "codebooks of one kind and size needed"),
        (add_name, "found lm.weight, which no EncodecModel has"),
        (no_books, "found no codebooks of EnCodec"),
        (group_norm, "found layers with time_group_norm"),
    ],
)
def test_weights_of_something_else_are_one_line(
    home: Path, spoil: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    state = exported(home)
    spoil(state)
    save_file(state, home / "c.safetensors", metadata=metadata(home / "b.safetensors"))
    with pytest.raises(DataError, match=message):
        command("import", str(home / "c.safetensors"))
    assert not (home / "runs" / "c").exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model_type", "dac", 'model_type "dac", needed "encodec"'),
        ("num_filters", 10**9, "num_filters: found 1000000000, needed a whole number from 1 to"),
        ("num_residual_layers", 10**6, "num_residual_layers: found 1000000, needed"),
        ("num_filters", 4096, r"autoencoder.encoder.layers.0.conv.bias: found 2, needed 4096"),
        ("hidden_size", "8", 'hidden_size: found "8", needed a whole number'),
        ("use_causal_conv", 1, "use_causal_conv: found 1, needed true or false"),
        ("upsampling_ratios", [], r"upsampling_ratios: found \[\], needed a list"),
        ("norm_type", "time_group_norm", 'norm_type: found "time_group_norm", needed "weight_no'),
        ("chunk_length_s", 1.0, "chunk_length_s: found 1.0, needed null"),
        ("pad_mode", "circular", "use_conv_shortcut and pad_mode"),
        ("target_bandwidths", [1e-3], "model.quantizer.bandwidths: found 0.001 kb/s"),
    ],
)
def test_a_configuration_out_of_bounds_is_one_line(
    home: Path, field: str, value: object, message: str
) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    command("export", "a", "--format", "transformers", "-o", str(home / "hf"))
    config = json.loads((home / "hf" / "config.json").read_text())
    (home / "hf" / "config.json").write_text(json.dumps(config | {field: value}))
    with pytest.raises(DataError, match=message):
        command("import", str(home / "hf"))
    assert not (home / "runs" / "hf").exists()


def test_other_sources_say_what_to_give(home: Path) -> None:
    write_run(home / "runs" / "a", *BOOKS)
    command("export", "a", "--format", "transformers", "-o", str(home / "hf"))
    command("export", "a", "-o", str(home / "own.safetensors"))
    (home / "empty.safetensors").write_bytes(b"\0" * 100)
    for source, error, message in (
        ("none.th", NotFoundError, "no file or folder of this name"),
        ("hf/model.safetensors", DataError, "without their config.json; give the folder"),
        ("own.safetensors", DataError, "under the names of codecctl.*train --from RUN"),
        ("empty.safetensors", DataError, "found no safetensors file"),
        ("runs/a", DataError, "found model_type null"),
    ):
        with pytest.raises(error, match=message):
            command("import", str(home / source), "--name", "new")
    with pytest.raises(UsageError, match=r"^a: a run of this name exists"):
        command("import", str(home / "hf"), "--name", "a")


def exported(home: Path) -> dict[str, Tensor]:
    """The tensors of `b.safetensors` beside run `a`, under the names of the encodec package."""
    write_run(home / "runs" / "a", *BOOKS)
    command("export", "a", "--format", "encodec", "-o", str(home / "b.safetensors"))
    return load_file(home / "b.safetensors")


def metadata(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())

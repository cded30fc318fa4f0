"""From a lossless profile to data and networks: every option of the document changes something."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from codecctl.engine.build_watch import references_of
from codecctl.engine.lossless_export import export, load_exported, require_folder
from codecctl.engine.lossless_source import describe, lossless_sides, open_stream
from codecctl.engine.prepare import Prepared, prepare
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.run_name import tracker_name
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.recipes.lossless import LosslessRecipe
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

BASE = {
    "audio_dir": "audio",
    "use_16bit": "false",
    "stereo_blocking_n": "16",
    "chunk_size": "64",
    "training_steps": "20",
    "batch_size": "4",
    "log_every": "10",
    "learning_rate": "0.001",
    "embedding_dim": "8",
    "num_layers": "1",
    "num_heads": "2",
    "widening_factor": "2",
    "wandb_project": "one",
    "wandb_run_name": "first",
    "output_dir": "out",
    "model_name": "model",
    "seed": "1",
    "num_chunks": "7",
}
"""All eighteen options of the document, small."""


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("audio", "other")):
        Path(name).mkdir()
        rng = np.random.default_rng(seed)
        for index in range(5):
            noise = rng.integers(-9000, 9000, (500, 2)).astype(np.int16)
            soundfile.write(Path(name, f"{index}.wav"), noise, 8000)


def profile_of(options: dict[str, str], *more: str) -> LosslessProfile:
    words = [f"{name}={value}" for name, value in options.items()]
    fixed = ("trainer.num_gpus=0", "data.val_items=2")
    resolved = load_profile("lossless-8bit", [*words, *fixed, *more], search=(PACKAGED,))
    assert isinstance(resolved.profile, LosslessProfile)
    return resolved.profile


def prepared_of(profile: LosslessProfile) -> Prepared:
    return prepare(profile, open_stream(profile.data, Path("stores"), profile.data.store))


@dataclass(frozen=True)
class Traces:
    """What a training would leave behind, by who would notice."""

    batches: str
    """Of three steps, as trained on."""
    network: str
    """Names, shapes and values before training."""
    trained: str
    """Values after two updates."""
    rows: tuple[int, ...]
    """Steps that are logged."""
    tracker: tuple[bool, str, str]
    exported: str


def digest(tensors: dict[str, torch.Tensor]) -> str:
    content = repr({name: (value.shape, value.tolist()) for name, value in tensors.items()})
    return hashlib.sha256(content.encode()).hexdigest()


def traces(options: dict[str, str]) -> Traces:
    profile = profile_of(options)
    prepared = prepared_of(profile)
    recipe, sampler, cadence = prepared.recipe, prepared.data.train, prepared.cadence
    network = recipe.modules()["generator"]
    batches = [torch.from_numpy(sampler.batch(step).audio) for step in range(3)]
    before = digest(network.state_dict())
    for step in range(2):
        recipe.train_step(batches[step], step)
    assert isinstance(recipe, LosslessRecipe)
    wandb = profile.trainer.wandb
    log = Path("train.log")
    log.write_text("", encoding="utf-8")
    return Traces(
        batches=digest(dict(zip("abc", batches, strict=True))),
        network=before,
        trained=digest(network.state_dict()),
        rows=tuple(s for s in range(1, cadence.max_steps + 1) if cadence.logs(s, 0.0)),
        tracker=(wandb.use_wandb, wandb.project, tracker_name(profile)),
        exported=str(export(recipe.evaluated, profile, log=log).weights),
    )


CHANGES: dict[str, tuple[str, set[str]]] = {
    "audio_dir": ("other", {"batches", "trained"}),
    "use_16bit": ("true", {"batches", "network", "trained"}),
    "stereo_blocking_n": ("17", {"batches", "trained"}),
    "chunk_size": ("66", {"batches", "trained"}),
    "training_steps": ("30", {"rows"}),
    "batch_size": ("6", {"batches", "trained"}),
    "log_every": ("7", {"rows"}),
    "learning_rate": ("0.002", {"trained"}),
    "embedding_dim": ("10", {"network", "trained"}),
    "num_layers": ("2", {"network", "trained"}),
    "num_heads": ("4", {"trained"}),
    "widening_factor": ("3", {"network", "trained"}),
    "wandb_project": ("two", {"tracker"}),
    "wandb_run_name": ("second", {"tracker"}),
    "output_dir": ("elsewhere", {"exported"}),
    "model_name": ("another", {"exported"}),
    "seed": ("2", {"batches", "network", "trained"}),
    "num_chunks": ("6", {"batches", "trained"}),
}
"""Another value of each option, and everything that it changes, no more and no less."""


@pytest.mark.long
def test_every_option_of_the_document_changes_what_it_says_and_nothing_else() -> None:
    assert set(CHANGES) == set(BASE) and len(BASE) == 18
    base = traces(BASE)
    assert traces(BASE) == base
    for option, (value, expected) in CHANGES.items():
        found = traces({**BASE, option: value})
        changed = {name for name in vars(base) if getattr(found, name) != getattr(base, name)}
        assert changed == expected, option


def test_exported_weights_are_arrays_that_rebuild_the_network() -> None:
    profile = profile_of(BASE)
    prepared = prepared_of(profile)
    recipe = prepared.recipe
    assert isinstance(recipe, LosslessRecipe)
    Path("train.log").write_text("a line\n", encoding="utf-8")
    exported = export(recipe.evaluated, profile, log=Path("train.log"))
    assert (str(exported.weights), str(exported.log)) == ("out/model.npz", "out/model_training.log")
    assert exported.log.read_text(encoding="utf-8") == "a line\n"
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "model.npz",
        "model_training.log",
    ]
    other = load_exported(exported.weights)
    assert other.layout == recipe.network.layout
    tokens = torch.randint(256, (2, 64))
    assert torch.equal(other(tokens), recipe.network(tokens))
    with np.load(exported.weights, allow_pickle=False) as file:
        assert json.loads(file["config"].tobytes()) == profile.model_dump(mode="json")


def test_files_that_are_no_export_and_folders_that_take_none_are_refused() -> None:
    Path("text.npz").write_text("no zip", encoding="utf-8")
    np.savez("foreign.npz", weights=np.zeros(3))
    np.savez("pickled.npz", layout=np.array([{"a": 1}], dtype=object))
    np.savez("other.npz", layout=np.frombuffer(b'{"bits": 8}', np.uint8))
    for name in ("text.npz", "foreign.npz", "pickled.npz", "other.npz"):
        with pytest.raises(DataError, match=rf"^{name}: no exported weights: "):
            load_exported(Path(name))
    with pytest.raises(NotFoundError, match=r"^missing\.npz: no such file; needed weights"):
        load_exported(Path("missing.npz"))
    with pytest.raises(CodecctlError, match=r"trainer\.output_dir audio/0\.wav/x: cannot be writ"):
        require_folder(Path("audio/0.wav/x"))


def test_a_fifth_of_the_files_validates_and_copies_stay_together() -> None:
    soundfile.write("audio/5.wav", *soundfile.read("audio/0.wav", dtype="int16"))
    stream = open_stream(profile_of(BASE).data, Path("stores"), "auto")
    for seed in range(12):
        data = profile_of(BASE, f"data.val_seed={seed}").data
        sides = lossless_sides(data, stream)
        assert sides.note == ""
        assert set(sides.train) | set(sides.validation) == {f"{i}.wav" for i in range(6)}
        assert len(sides.validation) in (1, 2)
        of_copies = [name in sides.train for name in ("0.wav", "5.wav")]
        assert of_copies[0] == of_copies[1]


def test_one_file_trains_and_validates_and_says_so() -> None:
    for index in range(1, 5):
        Path(f"audio/{index}.wav").unlink()
    data = profile_of(BASE).data
    sides = lossless_sides(data, open_stream(data, Path("stores"), "auto"))
    assert sides.on_itself and "only one recording: it trains and validates" in sides.note


def test_what_a_folder_holds_and_becomes_is_described() -> None:
    soundfile.write("audio/mono.wav", np.zeros(500), 16000)
    words = {
        "mono": "all audio is processed as mono",
        "one": "channel 2 of every recording is processed",
        "blocked": "all channels are processed, in turns of 16 samples",
    }
    for mode, sentence in words.items():
        exact = "lossless" if mode == "blocked" else "not lossless"
        data = profile_of(
            BASE, f"data.channel_mode={mode}", "data.capsule=2", "data.bit_depth=16"
        ).data
        lines = describe(data, open_stream(data, Path("stores"), "auto"))
        assert lines[0] == "audio format of audio: mixed (5 stereo, 1 mono files)"
        assert lines[1] == "files of 8000 Hz, 16000 Hz are read as they are; nothing is resampled"
        assert lines[2].startswith(f"{sentence}")
        assert f"symbols of 16 bits, {exact}" in lines[2]


def test_what_flac_needs_is_measured_or_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepared_of(profile_of(BASE))
    found, missing = references_of(prepared)
    assert [each.name for each in found] == ["FLAC"]
    assert 6 < found[0].value < 24  # white noise of 8 bits, and the heads of short files
    assert missing == ""
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": "WAV (Microsoft)"})
    found, missing = references_of(prepared)
    assert found == ()
    assert missing.startswith("FLAC: libsndfile ")


def test_a_store_has_to_hold_integers(make_store: Callable[..., Path]) -> None:
    data = profile_of({name: value for name, value in BASE.items() if name != "audio_dir"}).data
    with pytest.raises(NotFoundError, match=r"^stores: found no store, needed integers: name a fo"):
        open_stream(data, Path("stores"), "auto")
    make_store({"A.1": np.zeros((1, 100), np.float32)}, name="floats")
    with pytest.raises(NotFoundError, match=r"found floats of int16, needed integers"):
        open_stream(data, Path("stores"), "auto")
    with pytest.raises(DataError, match=r"^store floats: found int16, needed the source's integ"):
        open_stream(data, Path("stores"), "floats")
    with pytest.raises(NotFoundError, match=r"^nothing: no store of this name or path"):
        open_stream(data, Path("stores"), "nothing")
    make_store({"A.1": np.zeros((3, 100), np.int32)}, name="whole", dtype="pcm")
    assert open_stream(data, Path("stores"), "auto").recordings[0].frames == 300
    make_store({"A.1": np.zeros((1, 100), np.int32)}, name="more", dtype="pcm")
    with pytest.raises(UsageError, match=r"found 2 stores of integers \(more, whole\)"):
        open_stream(data, Path("stores"), "auto")

"""The lossless mode as its document runs it: example lines, options, rules, killed and resumed."""

from __future__ import annotations

import json
import shlex
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from codecctl.app import app
from codecctl.datasets.store import RecordingWriter, SourceFacts, pcm_dtype, write_index
from codecctl.engine.references import read_references
from codecctl.engine.rundir import read_metrics, read_rows

from .training import assert_equal_runs, run, start, wait_for_step

pytestmark = pytest.mark.e2e

TINY = (
    *("data.chunk_size=64", "data.batch_size=2", "data.val_items=2", "data.val_batch_size=2"),
    *("trainer.max_steps=2", "trainer.num_gpus=0", "model.embedding_dim=8", "model.num_layers=1"),
    *("model.num_heads=2", "data.prefetch_batches=0"),
)
"""What stands before a line of the document, so that what the line itself names acts."""


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tones in noise, stereo but for one file; the working directory is beside it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "audio"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(5):
        frames, channels = 6000, 1 if index == 4 else 2
        tone = np.sin(np.arange(frames)[:, None] * 0.03 * (index + 1 + np.arange(channels)))
        noisy = 0.3 * tone + 0.01 * rng.standard_normal((frames, channels))
        soundfile.write(folder / f"{index}.wav", noisy, 8000, subtype="PCM_16")
    return folder


def train(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["train", *arguments])


def stored(name: str) -> dict[str, dict[str, object]]:
    text = Path("runs", name, "profile.json").read_text(encoding="utf-8")
    profile: dict[str, dict[str, object]] = json.loads(text)["profile"]
    return profile


LINES = {
    "8bit": "",
    "16bit": '--use_16bit --wandb_project "audio-compression"',
    "architecture": "--embedding_dim 128 --num_layers 6 --num_heads 12",
    "performance": "--batch_size 256 --training_steps 5000 --learning_rate 0.0002",
    "blocks": "--stereo_blocking_n 2048 --chunk_size 4096",
    "output": '--output_dir ./models/ --model_name "my_experiment"',
}
"""The six examples of the document, without the folder that all of them name."""


@pytest.mark.parametrize("line", LINES)
def test_an_example_line_of_the_document_trains_what_it_says(line: str, audio: Path) -> None:
    # 5000 steps and a tracker are not for a test; everything else of the line acts.
    after = {
        "performance": ["trainer.max_steps=1", "chunk_size=16"],
        "blocks": ["training_steps=1"],
    }
    arguments = [
        *TINY,
        *shlex.split(LINES[line]),
        *after.get(line, ()),
        "trainer.wandb.mode=disabled",
    ]
    done = train(
        *("--profile", "lossless-8bit", "--run", line, "--audio_dir", str(audio)), *arguments
    )
    assert done.exit_code == 0, done.output
    profile, rows = stored(line), read_metrics(Path("runs", line), "val")
    assert rows[0]["step"] == 0 and float(str(rows[-1]["val/bits_per_sample"])) > 0
    output = Path("models/my_experiment.npz" if line == "output" else "audio_model.npz")
    with np.load(output, allow_pickle=False) as weights:
        shapes = {name: weights[name].shape for name in weights.files}
    assert output.with_name(f"{output.stem}_training.log").read_text(encoding="utf-8")
    vocabulary = 65536 if line == "16bit" else 256
    assert shapes["head.logits.weight"][0] == vocabulary
    assert len([name for name in shapes if name.endswith("query.weight")]) == (
        6 if line == "architecture" else 1
    )
    if line == "16bit":
        wandb = profile["trainer"]["wandb"]
        assert isinstance(wandb, dict)
        assert wandb["use_wandb"] and wandb["project"] == "audio-compression"
    if line == "architecture":
        assert shapes["trunk.layers.5.query.weight"] == (120, 128)
    if line == "performance":
        assert profile["data"]["batch_size"] == 256
        first = read_metrics(Path("runs", line), "train")[0]
        assert first["lr/generator"] == pytest.approx(2e-4)
    if line == "blocks":
        assert profile["data"]["channel_mode"] == "blocked"
        items = json.loads(Path("runs", line, "validation_items.json").read_text("utf-8"))
        assert all(item["start"] <= 12000 - 4096 for item in items)
    assert "audio format of" in done.output and "mixed (4 stereo, 1 mono files)" in done.output


def test_a_run_says_what_it_found_and_logs_bits_in_both_splits(audio: Path) -> None:
    (audio / "notes.txt").write_text("", encoding="utf-8")
    done = train("-p", "lossless-8bit", *TINY, "--audio-dir", str(audio), "--run", "said")
    assert done.exit_code == 0, done.output
    for wanted in (
        "all audio is processed as mono (channels are converted to their mean); symbols of 8 bits",
        "no decoder gets them back",
        "training: 4 recordings",
        "left out: notes.txt: no WAV file",
        "val/bits_per_sample: ",
        "weights: audio_model.npz",
    ):
        assert wanted in done.output, wanted
    for split, names in (
        ("train", ("loss/bits_per_sample", "loss/bits_per_byte", "compression/ratio")),
        ("val", ("val/bits_per_sample", "val/bits_per_byte", "val/ratio")),
    ):
        for row in read_metrics(Path("runs/said"), split):
            assert set(names) <= set(row)
    sides = json.loads(Path("runs/said/split.json").read_text(encoding="utf-8"))["sides"]
    assert (len(sides["training"]), len(sides["validation"])) == (4, 1)
    validated = {row["recording"] for row in read_rows(Path("runs/said/validation.jsonl"))}
    assert validated == set(sides["validation"])
    (flac,) = read_references(Path("runs/said"))
    assert (flac.metric, flac.name) == ("val/bits_per_sample", "FLAC")
    assert 0 < flac.value < 8 and "all of the 6000 symbols" in flac.detail
    assert not Path("runs/said/wandb").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--audio_dir", "nowhere"], 5, "audio directory nowhere: found nothing, needed a folder"),
        (["--audio_dir", "empty"], 4, "audio directory empty: found no WAV file among 0 entries"),
        ([], 5, "name a folder of WAV files with --audio_dir DIR, or make a store"),
        (["--audio_dir", "audio", "--chunk_size", "0"], 3, "data.chunk_size: found 0, allowed"),
        (["--audio_dir", "audio", "--chunk_size", "99999"], 4, "no recording can be used"),
        (["--audio_dir", "audio", "--output_dir", "audio/0.wav"], 1, "trainer.output_dir audio/0"),
        (["--audio_dir"], 2, "--audio_dir: found no value"),
        (["--audio_dir", "audio", "--use_16_bit"], 2, "no option --use_16_bit; did you mean"),
    ],
)
def test_a_rule_of_the_document_is_one_line_and_an_exit_code(
    audio: Path, arguments: list[str], code: int, message: str
) -> None:
    (audio.parent / "empty").mkdir()
    done = train("--profile", "lossless-8bit", *TINY, *arguments)
    assert getattr(done.exception, "exit_code", None) == code
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not Path("runs").exists()


SHORT = (
    *("--profile", "lossless-16bit", "--audio_dir", "audio", "--stereo_blocking_n", "32"),
    *TINY,
    *("model.head=factorised", "--training_steps", "12", "trainer.ema.enabled=true"),
    *("trainer.val_every_n_steps=5", "trainer.save_every_n_steps=1", "trainer.keep_last=3"),
)
"""Blocks of two channels, 16 bits byte after byte, averaged weights."""


STAGES = (
    'trainer.stages=[{name="first",length={steps=5}},'
    '{name="second",length={steps=7},optimizer={type="SGD",config={lr=0.01,momentum=0.9}}}]'
)


def test_killed_in_the_middle_and_resumed_equals_the_run_that_was_not(audio: Path) -> None:
    home, short = audio.parent, (*SHORT, STAGES)
    code, _, err = run(home, "train", *short, "--run", "whole")
    assert code == 0, err
    process = start(home, "train", *short, "--run", "killed")
    wait_for_step(process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # A short command: the flags of the run need not be said again, and new ones are understood.
    code, _, err = run(home, "train", "--run", "killed", "--resume", "--log_every", "100")
    assert code == 0, err
    assert_equal_runs(home / "runs" / "whole", home / "runs" / "killed", steps=12)
    events = read_rows(home / "runs" / "killed" / "events.jsonl")
    assert [row["step"] for row in events if row["kind"] == "stage"][-1] == 5


def test_a_folder_that_changed_is_not_continued(audio: Path) -> None:
    words = (*SHORT, "--run", "moved", "--training_steps", "1")
    assert train(*words).exit_code == 0
    soundfile.write(audio / "0.wav", np.zeros((9000, 2)), 8000, subtype="PCM_16")
    again = train("--run", "moved", "--resume", "--training_steps", "2")
    assert "is not the one that this run was started with" in str(again.exception)


def test_all_channels_of_a_store_train_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_pcm_store(tmp_path / "stores" / "array", channels=32)
    words = ("--profile", "lossless-8bit", *TINY)
    done = train(*words, "data.bit_depth=24", "model.head=factorised", "--run", "first")
    assert done.exit_code == 0, done.output
    assert "all channels are processed, in turns of 1024 samples; symbols of 24 bits, lossless" in (
        done.output
    )
    evaluated = code("eval", "first", "--seconds", "0.004", "--json")
    assert evaluated.exit_code == 0, evaluated.output
    found = json.loads(evaluated.stdout)
    assert [row["scene"] for row in found["scenes"]] == ["Park"]
    assert (found["total"][0]["samples"], found["total"][0]["raw_bytes"]) == (1024, 3072)
    without = json.loads(code("eval", "--lossless", "array", "--json").stdout)
    assert [row["scene"] for row in without["scenes"]] == ["Beach", "Park", "Woodland"]
    assert all(row["raw_bytes"] == 400 * 32 * 3 for row in without["recordings"])
    write_pcm_store(tmp_path / "stores" / "second", channels=1)
    several = train(*words, "--run", "none")
    assert "found 2 stores of integers (array, second), needed one" in str(several.exception)
    assert train(*words, "data.store=second", "--run", "second").exit_code == 0


def write_pcm_store(folder: Path, *, channels: int) -> None:
    """Three recordings of 24 bits in three scenes."""
    infos = []
    for index, scene in enumerate(("Beach", "Park", "Woodland")):
        samples = np.random.default_rng(index).integers(-(2**20), 2**20, (channels, 400))
        with RecordingWriter(
            folder,
            name=f"{scene}.1",
            scene=scene,
            take="1",
            array=f"unknown-{channels}ch",
            channels=channels,
            frames=400,
            sample_rate=8000,
            dtype=pcm_dtype(24),
            source=SourceFacts("a.wav", 8000, 24, 400, 1, 0.0, f"sha256:{index}"),
            labels=[str(channel) for channel in range(channels)],
        ) as writer:
            writer.write(samples.astype(np.int32))
            infos.append(writer.commit())
    write_index(folder, name=folder.name, sample_rate=8000, dtype="pcm", recordings=infos)


def code(command: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, [command, *arguments])


def test_a_trained_model_encodes_a_file_it_never_heard_and_decodes_it(audio: Path) -> None:
    shape = ("data.chunk_size=128", "model.head=factorised", "--training_steps", "20")
    averaged = (*shape, "trainer.ema.enabled=true")
    words = ("-p", "lossless-16bit", *TINY, "--audio_dir", "audio", *averaged)
    trained = train(*words, "--run", "made")
    assert trained.exit_code == 0, trained.output
    frames = 0.3 * np.sin(np.arange(500)[:, None] * 0.07 * np.arange(1, 4))
    soundfile.write("new.wav", frames, 44100, subtype="PCM_16")
    encoded = code("encode", "new.wav", "--model", "audio_model.npz")
    assert encoded.exit_code == 0, encoded.output
    assert "new.cctl: 3044 bytes of WAV" in encoded.output and "ratio " in encoded.output
    decoded = code("decode", "new.cctl", "-m", "audio_model.npz", "-o", "back.wav", "--json")
    assert decoded.exit_code == 0, decoded.output
    assert json.loads(decoded.stdout)["symbols"] == 1500
    assert Path("back.wav").read_bytes() == Path("new.wav").read_bytes()
    assert code("encode", "new.wav", "--model", "made:last", "-o", "run.cctl").exit_code == 0
    assert Path("run.cctl").read_bytes() == Path("new.cctl").read_bytes()
    assert code("decode", "run.cctl", "--model", "made:last").exit_code == 0
    assert Path("run.wav").read_bytes() == Path("new.wav").read_bytes()
    evaluated = code("eval", "made", "--seconds", "0.01", "--json")
    assert evaluated.exit_code == 0, evaluated.output
    assert "not what this run was trained on" not in evaluated.stderr
    total = json.loads(evaluated.stdout)["total"]
    assert total[0]["coder"] == "this model" and total[0]["samples"] == 80
    for arguments, exit_code, message in (
        (("encode", "new.wav", "-m", "audio_model.npz"), 2, "new.cctl: exists; choose another"),
        (("encode", "gone.wav", "-m", "audio_model.npz"), 5, "gone.wav: no such file"),
        (("encode", "new.wav", "-m", "new.wav", "-o", "x"), 4, "new.wav: no exported weights"),
        (("decode", "new.wav", "-m", "audio_model.npz", "-o", "x"), 4, "no file of codecctl enc"),
        (("export", "made", "-o", "x"), 3, "made: found a language model, needed a codec"),
        (("train", *words, "--from", "made", "--run", "n"), 2, "found a profile of language mod"),
    ):
        failed = code(*arguments)
        assert getattr(failed.exception, "exit_code", None) == exit_code, arguments
        assert message in str(failed.exception)

"""`codecctl train` as a user runs it: a tiny store, a tiny codec, kills and signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.store import RecordingWriter, SourceFacts, write_index
from codecctl.engine.rows import Row, comparable
from codecctl.engine.rundir import list_checkpoints, read_metrics, read_rows, read_state

pytestmark = pytest.mark.e2e

CODECCTL = Path(sys.executable).with_name("codecctl")
STEPS = 16
TINY = (
    "--profile",
    "paired",
    "model=tiny",
    "trainer=demo",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=8",
    "model.quantizer.codebook_size=8",
    "model.discriminators.0.num_filters=2",
    "data.segment_seconds=0.2",
    "data.min_source_seconds=0.2",
    "data.batch_size=2",
    "data.val_items=3",
    "trainer.updates_per_epoch=5",
    "trainer.max_epochs=6",
    "trainer.optimizer.config.lr=1e-3",
    "trainer.log_every_n_steps=10",
    f"trainer.max_steps={STEPS}",
    "trainer.val_every_n_steps=6",
    "trainer.save_every_n_steps=1",
    "trainer.keep_last=3",
    "trainer.discriminator.start.step=4",
)

# The command, dying by SIGKILL before the n-th rename: while a checkpoint is put in its place.
DYING = """
import os, pathlib, sys
rename, left = pathlib.Path.rename, [int(sys.argv.pop(1))]

def dying(*arguments):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)
    return rename(*arguments)

pathlib.Path.rename = dying
sys.argv[0] = "codecctl"
from codecctl.cli import main
main()
"""


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _run(
    home: Path, *arguments: str, program: tuple[str, ...] = (str(CODECCTL),)
) -> tuple[int, str, str]:
    done = subprocess.run(
        [*program, *arguments],
        cwd=home,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def make_store(folder: Path, *, rate: int = 24000, channels: int = 3, seconds: float = 0.5) -> None:
    """Noise in three scenes, enough for a tiny training."""
    frames = round(seconds * rate)
    facts = SourceFacts("a.wav", rate, 24, frames, 1, 0.0, "sha256:00")
    infos = []
    for index, scene in enumerate(("Beach", "Park", "Woodland")):
        audio = np.random.default_rng(index).standard_normal((channels, frames)) * 0.1
        with RecordingWriter(
            folder,
            name=f"{scene}.1",
            scene=scene,
            take="1",
            array=f"unknown-{channels}ch",
            channels=channels,
            frames=frames,
            sample_rate=rate,
            dtype="int16",
            source=facts,
            labels=[str(channel) for channel in range(channels)],
        ) as writer:
            writer.write(audio.astype(np.float32))
            infos.append(writer.commit())
    write_index(folder, name=folder.name, sample_rate=rate, dtype="int16", recordings=infos)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and the run `whole`, which nothing interrupted."""
    home = tmp_path_factory.mktemp("home")
    make_store(home / "stores" / "noise")
    code, out, err = _run(home, "train", *TINY, "--run", "whole")
    assert code == 0, err
    (home / "said.txt").write_text(out + err, encoding="utf-8")
    return home


def _rows(run: Path) -> list[Row]:
    return [comparable(row) for row in read_metrics(run)]


def assert_equal_runs(left: Path, right: Path) -> None:
    """Equal rows, weights, optimizers and codebooks, to the last bit."""
    import torch

    assert _rows(left) == _rows(right)
    name = f"checkpoints/step-{STEPS:09d}/state.pt"
    states = [torch.load(run / name, weights_only=True) for run in (left, right)]
    for state in states:
        state["progress"]["seconds"] = 0.0
    flat = [dict(_flat(state)) for state in states]
    assert list(flat[0]) == list(flat[1])
    for path, value in flat[0].items():
        other = flat[1][path]
        if isinstance(value, torch.Tensor):
            assert isinstance(other, torch.Tensor)
            assert torch.equal(value, other), path
        else:
            assert value == other, path


def _flat(value: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [pair for key in value for pair in _flat(value[key], f"{path}/{key}")]
    if isinstance(value, (list, tuple)):
        return [pair for key, inner in enumerate(value) for pair in _flat(inner, f"{path}/{key}")]
    return [(path, value)]


def test_a_training_says_what_it_does_and_what_was_learned(home: Path) -> None:
    said = (home / "said.txt").read_text(encoding="utf-8")
    for wanted in (
        "store stores/noise: 3 recordings, 24000 Hz",
        "training: 2 recordings (Beach, Park)",
        "validation: 3 fixed items of Woodland.1",
        "BusyStreet",  # of the scenes that this store lacks
        f"steps: {STEPS} of 2 items, 5 in an epoch",
        "step 1/16 epoch 1 | ",
        f"step 0 to {STEPS}",
        "codebook entries in use over the fixed items: 1 ",
        "val/similarity: ",
        "similarity is ",
        "next: codecctl dashboard, or codecctl runs show whole",
    ):
        assert wanted in said, wanted
    assert read_rows(home / "runs" / "whole" / "events.jsonl")[-1]["kind"] == "finished"


def test_a_run_folder_holds_all_that_it_promises(home: Path) -> None:
    run = home / "runs" / "whole"
    assert sorted(path.name for path in run.iterdir()) == [
        "checkpoints",
        "control",
        "environment.json",
        "events.jsonl",
        "metrics.jsonl",
        "previews",
        "profile.json",
        "state.json",
        "system.jsonl",
        "train.log",
        "validation.jsonl",
        "validation_items.json",
    ]
    profile = json.loads((run / "profile.json").read_text(encoding="utf-8"))
    assert (profile["name"], profile["profile"]["mode"]) == ("paired", "paired")
    assert "model=tiny" in profile["overrides"]
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    assert environment["store"]["recordings"] == 3
    assert environment["distributions"]["torch"]["record"].startswith("sha256:")
    state = read_state(run)
    assert state is not None
    assert (state.status, state.step) == ("finished", STEPS)
    assert [row["step"] for row in read_metrics(run, "val")] == [0, 6, 12, STEPS]
    assert [row["step"] for row in read_metrics(run, "train")] == [*range(1, 11), STEPS]


def test_runs_are_listed_shown_and_tagged(home: Path) -> None:
    code, out, _ = _run(home, "runs", "list", "--json")
    assert code == 0
    listed = {run["name"]: run for run in json.loads(out)["runs"]}
    assert listed["whole"]["status"] == "finished"

    code, out, _ = _run(home, "runs", "show", "whole")
    assert code == 0
    assert f"runs/whole: finished at step {STEPS} of {STEPS}" in out
    assert "val/mel" in out

    assert _run(home, "runs", "tag", "whole", "good")[1] == "good\n"
    assert "good" in _run(home, "runs", "list", "--tag", "good")[1]
    assert _run(home, "runs", "tag", "whole", "--drop", "good")[1] == "\n"
    code, _, err = _run(home, "runs", "stop", "whole")
    assert (code, "is finished, needed a running one" in err) == (2, True)


def _start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [CODECCTL, *arguments], cwd=home, env=_environment(), stderr=subprocess.PIPE, text=True
    )


def _wait_for_step(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    said = ""
    while not (line := process.stderr.readline()).startswith("step 1/"):
        said += line
        assert line, said


def test_killed_in_the_middle_and_resumed_equals_the_run_that_was_not(home: Path) -> None:
    process = _start(home, "train", *TINY, "--run", "killed")
    _wait_for_step(process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL

    code, _, err = _run(home, "train", *TINY, "--run", "killed", "--resume")
    assert code == 0, err
    assert_equal_runs(home / "runs" / "whole", home / "runs" / "killed")


def test_killed_while_a_checkpoint_is_written_and_resumed_is_the_same(home: Path) -> None:
    program = (sys.executable, "-c", DYING, "17")
    code, _, err = _run(home, "train", *TINY, "--run", "torn", program=program)
    assert code == -signal.SIGKILL, err
    assert list((home / "runs" / "torn" / "checkpoints").glob(".tmp-*"))

    # The short form: profile and overrides are those of the run.
    code, _, err = _run(home, "train", "--run", "torn", "--resume")
    assert code == 0, err
    assert not list((home / "runs" / "torn" / "checkpoints").glob(".tmp-*"))
    kinds = [row["kind"] for row in read_rows(home / "runs" / "torn" / "events.jsonl")]
    assert "resumed" in kinds
    assert_equal_runs(home / "runs" / "whole", home / "runs" / "torn")


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(home: Path) -> None:
    run = home / "runs" / "damaged"
    shutil.copytree(home / "runs" / "whole", run)
    state = run / "checkpoints" / f"step-{STEPS:09d}" / "state.pt"
    os.truncate(state, state.stat().st_size // 2)

    code, _, err = _run(home, "train", "--run", "damaged", "--resume")

    assert code == 0, err
    assert "warning: damaged checkpoint step-000000016: state.pt has " in err
    assert "continuing from step-000000015" in err
    warnings = [row for row in read_rows(run / "events.jsonl") if row["kind"] == "warning"]
    assert "step-000000016" in str(warnings[-1]["message"])
    assert_equal_runs(home / "runs" / "whole", run)


@pytest.mark.parametrize(
    ("number", "code", "end"),
    [
        (signal.SIGINT, 130, "--run stopped-2 --resume"),
        (signal.SIGTERM, 75, "--run stopped-15 --resume"),
    ],
)
def test_a_signal_saves_and_stops_with_its_exit_code(
    home: Path, number: signal.Signals, code: int, end: str
) -> None:
    name = f"stopped-{number.value}"
    long = ("trainer.max_steps=1900", "trainer.max_epochs=400", "trainer.save_every_n_steps=0")
    process = _start(home, "train", *TINY, *long, "--run", name)
    _wait_for_step(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)

    assert process.returncode == code, err
    last = err.strip().splitlines()[-1]
    assert "checkpoint saved; " in last
    assert last.endswith(end)
    state = read_state(home / "runs" / name)
    assert state is not None
    assert state.status == "stopped"
    assert list_checkpoints(home / "runs" / name)[-1].step == state.step


def test_a_run_can_be_asked_to_stop_and_the_second_ctrl_c_quits(home: Path) -> None:
    long = ("trainer.max_steps=1900", "trainer.max_epochs=400", "trainer.save_every_n_steps=0")
    process = _start(home, "train", *TINY, *long, "--run", "asked")
    _wait_for_step(process)
    assert _run(home, "train", *TINY, *long, "--run", "asked", "--resume")[0] == 2  # it is alive
    code, _, err = _run(home, "runs", "stop", "asked")
    assert (code, "to save and stop" in err) == (0, True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "checkpoint saved; continue with: codecctl train --profile paired" in err

    process = _start(home, "train", "--run", "asked", "--resume")
    assert process.stderr is not None
    while not process.stderr.readline().startswith("step "):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err


def test_a_training_that_diverges_names_the_loss_and_the_windows(home: Path) -> None:
    change = "trainer.optimizer.config.lr=1e30"
    code, _, err = _run(home, "train", *TINY, change, "--run", "diverged")
    assert code == 1
    last = err.strip().splitlines()[-1]
    assert last.startswith("codecctl: step ")
    assert "is not finite" in last
    crash = (home / "runs" / "diverged" / "crash.txt").read_text(encoding="utf-8")
    assert "  1: " in crash
    assert ", from frame " in crash
    state = read_state(home / "runs" / "diverged")
    assert state is not None
    assert (state.status, "is not finite" in state.message) == ("failed", True)


def test_a_name_that_is_taken_is_refused_and_nothing_changes(home: Path) -> None:
    before = (home / "runs" / "whole" / "metrics.jsonl").read_bytes()
    code, out, err = _run(home, "train", *TINY, "--run", "whole")
    assert (code, out) == (2, "")
    assert "whole: a run of this name exists in runs; choose another with --run NAME" in err
    assert (home / "runs" / "whole" / "metrics.jsonl").read_bytes() == before


def test_a_changed_profile_or_store_is_not_continued(home: Path, tmp_path: Path) -> None:
    change = "trainer.optimizer.config.lr=0.5"
    code, _, err = _run(home, "train", "--run", "whole", "--resume", change)
    assert code == 3
    assert "whole: the profile is not the one that this run was started with" in err
    assert "trainer.optimizer.config.lr: 0.5 now, 0.001 then" in err

    make_store(home / "stores" / "other", seconds=0.6)
    code, _, err = _run(home, "train", "--run", "whole", "--resume", "data.store=other")
    shutil.rmtree(home / "stores" / "other")
    assert code == 4
    assert "store other is not the one that this run was started with" in err


def test_with_nothing_to_resume_it_starts_and_says_so(home: Path) -> None:
    few = ("trainer.max_steps=1", "--run", "new", "--resume")
    code, _, err = _run(home, "train", *TINY, *few)
    assert code == 0, err
    assert "nothing to resume: new starts at step 0" in err


def test_a_dry_run_prints_sizes_and_writes_no_run(home: Path) -> None:
    before = sorted(path.name for path in (home / "runs").iterdir())
    code, out, err = _run(home, "train", *TINY, "--run", "dry", "--dry-run")
    assert code == 0, err
    for wanted in (
        "parameters of the generator: ",
        "memory with a batch: about ",
        "16 steps: about",
    ):
        assert wanted in out, wanted
    assert sorted(path.name for path in (home / "runs").iterdir()) == before


def test_no_store_two_stores_and_a_misfit_are_told_before_torch_is_loaded(tmp_path: Path) -> None:
    code, _, err = _run(tmp_path, "train", *TINY)
    assert (code, "stores: no store here; make one with: codecctl data ingest" in err) == (5, True)

    make_store(tmp_path / "stores" / "slow", rate=16000)
    code, _, err = _run(tmp_path, "train", *TINY)
    assert code == 4
    assert "found 16000 Hz, needed 24000 Hz" in err
    assert "codecctl data ingest FOLDER --name slow-24000 --rate 24000" in err

    for name in ("one", "two"):
        make_store(tmp_path / "stores" / name)
    code, _, err = _run(tmp_path, "train", *TINY)
    assert code == 2
    assert "found 2 stores that fit (one, two), needed one; choose with data.store=one" in err
    assert "loading torch" not in err
    assert not (tmp_path / "runs").exists()


def test_a_store_of_another_version_and_a_truncated_one_are_refused(tmp_path: Path) -> None:
    store = tmp_path / "stores" / "one"
    make_store(store)
    index = store / "index.json"
    content = json.loads(index.read_text(encoding="utf-8"))
    key = next(key for key in content if "version" in key)
    index.write_text(json.dumps({**content, key: 999}), encoding="utf-8")
    code, _, err = _run(tmp_path, "train", *TINY)
    assert (code, "999" in err) == (4, True)

    index.write_text(json.dumps(content), encoding="utf-8")
    recording = store / "rec" / "Park.1.h5"
    os.truncate(recording, recording.stat().st_size // 2)
    code, _, err = _run(tmp_path, "train", *TINY)
    assert (code, "Park.1.h5" in err) == (4, True)
    assert len(err.strip().splitlines()[-1]) > 20
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "found no profile; name one with --profile"),
        (("--profile", "pared"), 5, "did you mean 'paired'"),
        (("--profile", "paired", "--run", "a/b"), 2, "no plain folder name"),
        (("--profile", "paired", "--speling", "1"), 2, "no option --speling"),
        (("--profile", "paired", "trainer.max_step=1"), 3, "did you mean 'max_steps'"),
    ],
)
def test_a_wrong_command_line_is_one_clear_error(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = _run(tmp_path, "train", *arguments)
    assert (found, out) == (code, ""), err
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []

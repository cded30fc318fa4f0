"""A job script: what it says, that bash reads every word as it was typed, and that it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.commands.train_slurm import job_script, read_options
from codecctl.engine.profile import load_profile, profile_file
from codecctl.errors import CodecctlError, NotFoundError, UsageError

SRUN = """#!/bin/bash
trap 'echo saved >> log; exit 75' USR1
printf '%s\\n' "$@" > words
echo started >> log
if grep -q saved log; then exit 0; fi
echo ready
while :; do sleep 0.05; done
"""
SBATCH = """#!/bin/bash
cat > script
echo "$*" > options
if [ -e refuse ]; then echo "sbatch: error: invalid partition" >&2; exit 1; fi
echo "4711;cluster"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    for name, text in (
        ("srun", SRUN),
        ("scontrol", '#!/bin/bash\necho "$*" >> log\n'),
        ("sbatch", SBATCH),
    ):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path


def train(*words: str) -> str:
    done = CliRunner().invoke(app, ["train", "--profile", "paired", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_script_asks_for_what_the_profile_needs(place: Path) -> None:
    script = train("--slurm", "--run", "night", "trainer.num_nodes=2", "trainer.num_gpus=4")
    lines = script.splitlines()
    assert lines[0] == "#!/bin/bash"
    directives = {line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH")}
    assert {
        *("job-name=night", "nodes=2", "ntasks-per-node=1", "gpus-per-node=4", "requeue"),
        *("signal=B:USR1@300", "open-mode=append"),
    } <= directives
    (command,) = [line for line in lines if line.startswith("srun")]
    assert command.endswith("trainer.num_gpus=4 --run night --resume &")
    assert not (place / "runs").exists()


def test_options_replace_ours_and_a_cpu_job_asks_for_no_gpu(place: Path) -> None:
    script = train(
        *("--slurm", "--run", "a", "trainer.num_gpus=0", "--sbatch", "time=08:00:00"),
        *("--sbatch", "nodes=3", "--sbatch", "exclusive"),
    )
    assert "#SBATCH --time=08:00:00" in script
    assert "#SBATCH --nodes=3" in script
    assert "#SBATCH --exclusive\n" in script
    assert "--gpus" not in script
    assert "gpus-per-node" not in train("--slurm", "--run", "a", "--sbatch", "gres=gpu:2")


@pytest.mark.parametrize("option", ["time=1 --x", "a b=1", "=1", "time=`id`", "time=1\n#SBATCH -x"])
def test_what_would_not_stay_one_option_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="found no option of sbatch"):
        read_options([option])


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4)
)
def test_bash_reads_every_word_as_it_was_typed(words: list[str]) -> None:
    script = job_script(
        [sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))", *words],
        directives={"nodes": "1"},
        folder=Path("/"),
        environment={"CODECCTL_HOME": "a b;$(id)"},
    )
    function = 'srun() { "$@"; }\n'
    done = subprocess.run(
        ["bash", "-c", function + script], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ascii(words)


def test_the_script_saves_is_queued_again_and_finishes(place: Path) -> None:
    script = train("--slurm", "--run", "night", 'trainer.wandb.run_name=a b"$x')
    (place / "job").write_text(script)
    environment = {**os.environ, "SLURM_JOB_ID": "42", "SLURM_CPUS_PER_TASK": "3"}
    job = subprocess.Popen(["bash", "job"], env=environment, stdout=subprocess.PIPE, text=True)
    assert job.stdout is not None
    assert job.stdout.readline() == "ready\n"
    job.send_signal(signal.SIGUSR1)
    assert job.wait(timeout=20) == 75
    job.stdout.close()
    again = subprocess.run(["bash", "job"], env=environment, timeout=20, check=False)
    assert again.returncode == 0
    assert (place / "log").read_text().split("\n")[:-1] == [
        *("started", "saved", "requeue 42", "started"),
    ]
    words = (place / "words").read_text().splitlines()
    assert words[0] == "--cpus-per-task=3"
    assert words[2:] == [
        *("train", "--profile", "paired", 'trainer.wandb.run_name=a b"$x'),
        *("--run", "night", "--resume"),
    ]


def test_it_is_sent_and_its_number_printed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train("--submit", "--run", "night") == "4711\n"
    assert (place / "options").read_text() == "--parsable\n"
    assert "--run night --resume" in (place / "script").read_text()
    (place / "refuse").touch()
    with pytest.raises(CodecctlError, match="sbatch refused the job: sbatch: error: invalid"):
        train("--submit", "--run", "night")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(NotFoundError, match="sbatch: not found on PATH"):
        train("--submit", "--run", "night")


SWEEP = ("-m", "trainer.seed=1,2", "trainer.optimizer.config.lr=1e-3,1e-4", "--run", "grid")


def ran(place: Path, script: str, number: int) -> tuple[int, list[str]]:
    """Exit code of one task of an array, and the words that its node was given."""
    (place / "job").write_text(script)
    (place / "log").write_text("saved\n")  # so that the stand-in ends at once
    environment = {**os.environ, "SLURM_JOB_ID": "42", "SLURM_ARRAY_TASK_ID": str(number)}
    done = subprocess.run(["bash", "job"], env=environment, timeout=20, check=False)
    return done.returncode, (place / "words").read_text().splitlines()


def test_a_sweep_is_an_array_whose_tasks_are_its_runs(place: Path) -> None:
    script = train(*SWEEP, "--slurm", "--sbatch", "time=08:00:00")
    for line in ("job-name=grid", "array=1,2,3,4", "output=%x-%A_%a.out", "time=08:00:00"):
        assert f"#SBATCH --{line}\n" in script
    assert "gpus-per-node=1" in script
    code, words = ran(place, script, 3)
    assert code == 0
    assert words[1:] == [
        *("train", "--profile", "paired", "trainer.seed=2", "trainer.optimizer.config.lr=1e-3"),
        *("--run", "grid-3-seed=2-lr=1e-3", "--resume"),
    ]
    assert ran(place, script, 9)[0] == 2
    assert (place / "runs" / "grid.sweep.json").exists()


def test_only_what_is_not_finished_is_queued_again(place: Path) -> None:
    train(*SWEEP, "--slurm")
    for name, words, status in (
        (
            "grid-1-seed=1-lr=1e-3",
            ("trainer.seed=1", "trainer.optimizer.config.lr=1e-3"),
            "finished",
        ),
        (
            "grid-2-seed=1-lr=1e-4",
            ("trainer.seed=1", "trainer.optimizer.config.lr=1e-4"),
            "stopped",
        ),
    ):
        run = place / "runs" / name
        run.mkdir()
        stored = profile_file("paired", load_profile("paired", words))
        (run / "profile.json").write_text(json.dumps(stored))
        (run / "state.json").write_text(json.dumps({"status": status, "step": 4}))
    script = train("-m", "--run", "grid", "--resume", "--submit", "--sbatch", "array=2-4%1")
    assert script == "4711\n"
    sent = (place / "script").read_text()
    assert "#SBATCH --array=2-4%1\n" in sent
    assert [line[:2] for line in sent.splitlines() if "words=(" in line] == ["2)", "3)", "4)"]


def test_runs_that_need_different_machines_are_no_array(place: Path) -> None:
    with pytest.raises(
        UsageError, match="grid-1-num_nodes=1 and grid-2-num_nodes=2 need different"
    ):
        train("-m", "trainer.num_nodes=1,2", "--run", "grid", "--slurm")

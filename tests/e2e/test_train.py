"""`codecctl train` as a user runs it: what it says and what it leaves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from codecctl.engine.rundir import read_metrics, read_rows, read_state

from .training import SHORT, STEPS, run, write_store

pytestmark = pytest.mark.e2e


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
        "entries in use over the fixed items: codebook 1 ",
        "val/similarity: ",
        "similarity is ",
        "next: codecctl dashboard, or codecctl runs show whole",
    ):
        assert wanted in said, wanted
    *_, verdict, last = read_rows(home / "runs" / "whole" / "events.jsonl")
    assert (verdict["kind"], last["kind"]) == ("verdict", "finished")
    assert verdict["claim"] == "diversity loss becomes less negative"
    assert "too early to judge (4 values, needed 5): first token is similar" in said


def test_what_the_terminal_got_is_in_the_log_of_the_run(home: Path) -> None:
    said = (home / "said.txt").read_text(encoding="utf-8").splitlines()
    log = (home / "runs" / "whole" / "train.log").read_text(encoding="utf-8").splitlines()
    assert len(said) > 20
    assert [line for line in said if not any(line in kept for kept in log)] == []
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .", line) for line in log)
    assert log[0].split(" ", 2)[2] in said
    assert log[-1].endswith("next: codecctl dashboard, or codecctl runs show whole")
    started = next(at for at, line in enumerate(log) if " step 0: started: " in line)
    first_step = next(at for at, line in enumerate(log) if f" step 1/{STEPS} epoch 1 | " in line)
    assert started < first_step


def test_a_run_folder_holds_all_that_it_promises(home: Path) -> None:
    whole = home / "runs" / "whole"
    assert sorted(path.name for path in whole.iterdir()) == [
        "checkpoints",
        "control",
        "environment.json",
        "events.jsonl",
        "metrics.jsonl",
        "previews",
        "profile.json",
        "split.json",
        "state.json",
        "system.jsonl",
        "train.log",
        "validation.jsonl",
        "validation_items.json",
    ]
    profile = json.loads((whole / "profile.json").read_text(encoding="utf-8"))
    assert (profile["name"], profile["profile"]["mode"]) == ("paired", "paired")
    assert "model=tiny" in profile["overrides"]
    environment = json.loads((whole / "environment.json").read_text(encoding="utf-8"))
    assert environment["store"]["recordings"] == 3
    assert environment["distributions"]["torch"]["record"].startswith("sha256:")
    state = read_state(whole)
    assert state is not None
    assert (state.status, state.step) == ("finished", STEPS)
    assert [row["step"] for row in read_metrics(whole, "val")] == [0, 6, 12, STEPS]
    assert [row["step"] for row in read_metrics(whole, "train")] == [*range(1, 11), STEPS]


ROLES = ("generator", "discriminator")
TERMS = {"time": 0.1, "mel": 1.0, "generator": 3.0, "feature": 3.0, "commitment": 1.0}
BETWEEN = {"similarity": 0.5, "diversity": 0.5}
"""Terms of each capsule, and those between capsules, with their weights."""


def test_every_scalar_that_is_promised_is_in_the_rows(home: Path) -> None:
    whole = home / "runs" / "whole"
    named = {name for row in read_metrics(whole, "train") for name in row}
    balanced = [term for term in TERMS if term != "commitment"]
    parts = ("", "/capsule1", "/capsule2")
    wanted = {f"loss/{term}{part}" for term in TERMS for part in parts}
    wanted |= {f"loss/{name}" for name in (*BETWEEN, "total", "discriminator")}
    wanted |= {f"balancer/{term}{end}" for term in balanced for end in ("", "/before")}
    wanted |= {f"{kind}/{role}" for kind in ("lr", "grad_norm") for role in ROLES}
    wanted |= {
        f"codebook/{number}/{figure}"
        for number in (1, 2)
        for figure in ("usage", "perplexity", "entropy", "dead")
    }
    wanted |= {"speed/step_seconds", "speed/audio_seconds_per_second"}
    wanted |= {"speed/loader_wait_seconds", "memory/cpu_mb", "seconds", "audio_seconds", "epoch"}
    assert wanted <= named, sorted(wanted - named)

    validated = read_metrics(whole, "val")[-1]
    measured = ("mel", "si_sdr", "time", "mel_loss", "generator", "feature", "commitment")
    wanted = {f"val/{name}{part}" for name in measured for part in parts}
    wanted |= {f"val/{name}" for name in (*BETWEEN, "total", "bitrate_kbps", "code_agreement")}
    wanted |= {
        f"val/codebook/{number}/{figure}"
        for number in (1, 2)
        for figure in ("usage", "perplexity", "entropy")
    }
    assert wanted <= set(validated), sorted(wanted - set(validated))
    shared = [row["memory/cpu_mb"] for row in read_metrics(whole, "train")]
    assert all(isinstance(size, float) and size > 100 for size in shared)


def test_the_scalars_that_the_page_on_modes_names_are_in_the_rows(home: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "modes.md").read_text(encoding="utf-8")
    kinds = "loss|val|balancer|codebook|lr|grad_norm|speed|memory"
    named = set(re.findall(rf"`((?:{kinds})/[a-z0-9_/]+)`", page))
    # Of arrays, GPUs, the profile paired-classifier, the VAEs and the lossless mode.
    of_others = (
        *("val/array/", "memory/gpu", "loss/classifier", "loss/kl", "val/bits_per_sample"),
        *("val/mel/q", "val/si_sdr/q"),  # where codebooks are dropped
    )
    elsewhere = {name for name in named if name.startswith(of_others)}
    assert len(named) > 30
    logged = {name for row in read_metrics(home / "runs" / "whole") for name in row}
    assert named - elsewhere - logged == set()


def test_the_total_is_the_weighted_sum_of_the_document(home: Path) -> None:
    """Of the terms summed over capsules; the metric val/mel is not the term of that name."""
    whole = home / "runs" / "whole"
    weights = TERMS | BETWEEN
    for row in read_metrics(whole, "val"):
        values = {name: row["val/mel_loss" if name == "mel" else f"val/{name}"] for name in weights}
        total = sum(weights[name] * float(str(value)) for name, value in values.items())
        assert float(str(row["val/total"])) == pytest.approx(total, rel=1e-5)
        halves = [float(str(row[f"val/time/capsule{m}"])) for m in (1, 2)]
        assert float(str(row["val/time"])) == pytest.approx(sum(halves), rel=1e-5)
    for row in read_metrics(whole, "train")[5:]:  # with the discriminator
        values = {name: row[f"loss/{name}"] for name in weights}
        total = sum(weights[name] * float(str(value)) for name, value in values.items())
        assert float(str(row["loss/total"])) == pytest.approx(total, rel=1e-5)


def test_the_environment_counts_what_each_side_has(home: Path) -> None:
    environment = json.loads((home / "runs" / "whole" / "environment.json").read_text())
    assert environment["sides"]["training"] == {
        "recordings": 2,
        "hours": 1.0 / 3600,
        "channel_hours": 3.0 / 3600,
        "scenes": {"Beach": 1, "Park": 1},
    }
    assert environment["sides"]["validation"]["scenes"] == {"Woodland": 1}


def test_runs_are_listed_shown_and_tagged(home: Path) -> None:
    code, out, _ = run(home, "runs", "list", "--json")
    assert code == 0
    listed = {run["name"]: run for run in json.loads(out)["runs"]}
    assert listed["whole"]["status"] == "finished"

    code, out, _ = run(home, "runs", "show", "whole")
    assert code == 0
    assert f"runs/whole: finished at step {STEPS} of {STEPS}" in out
    assert "val/mel" in out

    assert run(home, "runs", "tag", "whole", "good")[1] == "good\n"
    assert "good" in run(home, "runs", "list", "--tag", "good")[1]
    assert run(home, "runs", "tag", "whole", "--drop", "good")[1] == "\n"
    code, _, err = run(home, "runs", "stop", "whole")
    assert (code, "is finished, needed a running one" in err) == (2, True)


def test_a_dry_run_prints_sizes_and_writes_norun(home: Path) -> None:
    before = sorted(path.name for path in (home / "runs").iterdir())
    code, out, err = run(home, "train", *SHORT, "--run", "dry", "--dry-run")
    assert code == 0, err
    for wanted in (
        "parameters of the generator: ",
        "memory with a batch: about ",
        "16 steps: about",
    ):
        assert wanted in out, wanted
    assert sorted(path.name for path in (home / "runs").iterdir()) == before


def test_similarity_and_diversity_are_measured_and_their_signs_explained(home: Path) -> None:
    said = (home / "said.txt").read_text(encoding="utf-8")
    rows = read_metrics(home / "runs" / "whole", "val")
    assert len(rows) == 4
    for row in rows:
        assert float(str(row["val/similarity"])) > 0
        assert float(str(row["val/diversity"])) < 0
    for name, value in ((key, rows[-1][key]) for key in ("val/similarity", "val/diversity")):
        assert f"{name}: {value:.4g}" in said
    assert "two capsules: never negative, 0 when they are the same" in said
    assert "never positive. Training lowers it, so more negative means further apart" in said


def test_recordings_left_out_and_silent_windows_are_reported(tmp_path: Path) -> None:
    write_store(tmp_path / "stores" / "noise", silent_seconds=0.3, short=("QuietStreet",))
    few = ("trainer.max_steps=4", "--run", "quiet")
    code, _, err = run(tmp_path, "train", *SHORT, *few)
    assert code == 0, err
    left_out = "left out: QuietStreet.1: found 0.1 s, needed 0.2 s"
    assert left_out in err
    last = re.search(r"warning: (\d+ windows drawn again by this job: .*\d silent.*)", err)
    assert last is not None
    warnings = [
        str(row["message"])
        for row in read_rows(tmp_path / "runs" / "quiet" / "events.jsonl")
        if row["kind"] == "warning"
    ]
    assert warnings[0] == left_out
    assert warnings[-1] == last[1]
    assert any(
        text.endswith("a window was silent; such windows are drawn again") for text in warnings
    )

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from codecctl.engine.lease import Lease, RunState
from codecctl.engine.resume import (
    merged_overrides,
    newest_run,
    refuse_changes,
    refuse_other_profile,
    refuse_other_sides,
    refuse_other_store,
    stored_store,
)
from codecctl.errors import DataError, ProfileError, UsageError

PROFILE = {
    "mode": "paired",
    "data": {"store": "auto", "batch_size": 8, "val_scenes": ["Woodland"]},
    "trainer": {"max_steps": 10, "max_epochs": 3, "previews": {"items": 1}, "seed": 1}
    | {"optimizer": {"config": {"lr": 3e-4, "eps": 1e-8}}},
}


def _run(folder: Path, name: str = "a") -> Path:
    run = folder / name
    run.mkdir()
    content = {"name": "paired", "profile": PROFILE, "overrides": ["model=tiny"]}
    (run / "profile.json").write_text(json.dumps(content), encoding="utf-8")
    store = {"name": "eigen", "path": "stores/eigen", "fingerprint": "f1", "recordings": 16}
    (run / "environment.json").write_text(json.dumps({"store": store}), encoding="utf-8")
    return run


def _changed(**branches: dict[str, object]) -> dict[str, object]:
    content = json.loads(json.dumps(PROFILE))
    for branch, values in branches.items():
        content[branch] |= values
    assert isinstance(content, dict)
    return content


def test_the_same_profile_may_go_on(tmp_path: Path) -> None:
    assert refuse_changes(_run(tmp_path), _changed()) == ()


def test_what_no_step_depends_on_may_change_and_is_named(tmp_path: Path) -> None:
    now = _changed(
        trainer={"max_steps": 20, "previews": {"items": 4}}, data={"store": "/else/eigen"}
    )
    assert refuse_changes(_run(tmp_path), now) == (
        "data.store",
        "trainer.max_steps",
        "trainer.previews.items",
    )


def test_what_mends_a_training_that_diverged_may_change_and_is_named(tmp_path: Path) -> None:
    run = _run(tmp_path)
    now = _changed(
        trainer={
            "gradient_clip_val": 1.0,
            "precision": "bf16-mixed",
            "optimizer": {"config": {"lr": 1e-4, "eps": 1e-8}},
        }
    )
    assert refuse_changes(run, now) == (
        "trainer.gradient_clip_val",
        "trainer.optimizer.config.lr",
        "trainer.precision",
    )
    with pytest.raises(ProfileError, match=r"trainer\.optimizer\.config\.eps: 0\.1 now"):
        refuse_changes(run, _changed(trainer={"optimizer": {"config": {"lr": 3e-4, "eps": 0.1}}}))


def test_what_a_step_depends_on_may_not_change(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"data.batch_size: 4 now, 8 then; trainer.seed: 2 now"):
        refuse_changes(_run(tmp_path), _changed(data={"batch_size": 4}, trainer={"seed": 2}))


def test_the_length_of_the_schedule_may_not_change(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"trainer.max_epochs: 9 now, 3 then"):
        refuse_changes(_run(tmp_path), _changed(trainer={"max_epochs": 9}))


def test_a_key_that_is_new_is_a_change(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"trainer.order: generator_first now, None then"):
        refuse_changes(_run(tmp_path), _changed(trainer={"order": "generator_first"}))


def test_many_changes_are_counted(tmp_path: Path) -> None:
    now = _changed(data=dict.fromkeys("abcdef", 1))
    with pytest.raises(ProfileError, match=r"data.d: 1 now, None then and 2 more; leave that out"):
        refuse_changes(_run(tmp_path), now)


def test_a_run_that_was_killed_before_it_was_described_has_nothing_to_compare(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").mkdir()
    assert refuse_changes(tmp_path / "a", PROFILE) == ()
    refuse_other_store(tmp_path / "a", name="eigen", fingerprint="f9")
    refuse_other_profile(tmp_path / "a", "mono")


def test_another_store_is_refused_and_both_are_named(tmp_path: Path) -> None:
    run = _run(tmp_path)
    refuse_other_store(run, name="renamed", fingerprint="f1")
    with pytest.raises(DataError, match=r"store other is not the one .*eigen at stores/eigen, 16"):
        refuse_other_store(run, name="other", fingerprint="f2")


def test_the_store_of_the_run_is_taken_where_it_is_or_else_by_name(tmp_path: Path) -> None:
    run = _run(tmp_path)
    store = tmp_path / "stores" / "eigen"
    said = {"store": {"name": "eigen", "path": str(store)}}
    (run / "environment.json").write_text(json.dumps(said), encoding="utf-8")
    assert stored_store(run) == "eigen"
    store.mkdir(parents=True)
    (store / "index.json").write_text("{}", encoding="utf-8")
    assert stored_store(run) == str(store)


def test_a_run_that_names_no_store_leaves_the_choice(tmp_path: Path) -> None:
    run = _run(tmp_path)
    (run / "environment.json").write_text("{}", encoding="utf-8")
    assert stored_store(run) == ""


def test_a_split_that_was_made_anew_is_refused(tmp_path: Path) -> None:
    run = _run(tmp_path)
    sides = {"training": ("Beach.1", "Park.1"), "validation": ("Park.2",), "test": ()}
    refuse_other_sides(run, sides)  # a run of an older version says nothing
    said = {"schema": 1, "name": "one", "sides": sides}
    (run / "split.json").write_text(json.dumps(said), encoding="utf-8")
    refuse_other_sides(run, sides)
    moved = {**sides, "training": ("Beach.1", "Beach.2"), "validation": ("Park.1", "Park.2")}
    with pytest.raises(DataError, match=r"2 recordings differ in training \(Beach\.2, Park\.1\)"):
        refuse_other_sides(run, moved)


def test_another_profile_is_refused(tmp_path: Path) -> None:
    refuse_other_profile(_run(tmp_path), "paired")
    with pytest.raises(UsageError, match="found a run of profile paired, asked to continue mono"):
        refuse_other_profile(tmp_path / "a", "mono")


def test_overrides_of_the_run_come_first_and_repeated_ones_once() -> None:
    stored = ["model=tiny", "trainer.max_steps=10"]
    assert merged_overrides(stored, []) == stored
    assert merged_overrides(stored, ["model=tiny", "trainer.max_steps=10"]) == stored
    assert merged_overrides(stored, ["trainer.max_steps=20"]) == [*stored, "trainer.max_steps=20"]
    assert merged_overrides(None, ["a=1"]) == ["a=1"]


def test_an_override_that_goes_back_to_an_earlier_value_counts() -> None:
    stored = ["model=tiny", "a.b=1", "a.b=2"]
    assert merged_overrides(stored, ["a.b=1"]) == [*stored, "a.b=1"]
    assert merged_overrides(stored, ["a.b=2"]) == stored
    # A job that is requeued says again what it said at first, not what was said since.
    assert merged_overrides(stored, ["model=tiny", "a.b=1"]) == stored


def test_the_newest_run_of_the_profile_is_the_one_started_last(tmp_path: Path) -> None:
    assert newest_run(tmp_path, "paired") is None
    for name in ("b", "a"):
        Lease(_run(tmp_path, name), RunState("running")).release("stopped", "")
    os.utime(tmp_path / "b")
    assert newest_run(tmp_path, "paired") == tmp_path / "a"
    assert newest_run(tmp_path, "mono") is None

"""Another run from the profile of a run: the same values, and the changes that were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codecctl.engine.profile import load_profile, profile_file, profile_hash
from codecctl.engine.profile.library import PACKAGED, Library
from codecctl.engine.rerun import (
    basis_of_profile,
    basis_of_run,
    edited,
    edits_of_file,
    overrides_between,
    toml_of,
)
from codecctl.errors import NotFoundError, ProfileError

DEMO = ("model=tiny", "trainer=demo", "trainer.seed=7")


def write_run(folder: Path, name: str = "paired", overrides: tuple[str, ...] = DEMO) -> Path:
    run = folder / "runs" / "first"
    run.mkdir(parents=True)
    stored = profile_file(name, load_profile(name, overrides))
    (run / "profile.json").write_text(json.dumps(stored), encoding="utf-8")
    return run


def change(run: Path, key: str, value: object) -> None:
    """Store another value than the files of profiles give, as of an earlier version of them."""
    stored = json.loads((run / "profile.json").read_text(encoding="utf-8"))
    *path, last = key.split(".")
    table = stored["profile"]
    for part in path:
        table = table[part]
    table[last] = value
    (run / "profile.json").write_text(json.dumps(stored), encoding="utf-8")


def test_a_run_is_begun_again_with_its_own_overrides(tmp_path: Path) -> None:
    basis = basis_of_run(write_run(tmp_path))
    assert (basis.name, basis.overrides, basis.kept) == ("paired", DEMO, ())
    new = edited(basis, ["trainer.optimizer.config.lr=1e-5"])
    assert overrides_between(basis.resolved.profile, new.profile) == [
        "trainer.optimizer.config.lr=1e-05"
    ]


def test_values_that_the_files_of_today_say_differently_are_kept(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    change(run, "data.batch_size", 3)
    basis = basis_of_run(run)
    assert basis.kept == ("data.batch_size=3",)
    assert basis.resolved.profile.data.batch_size == 3
    stored = json.loads((run / "profile.json").read_text(encoding="utf-8"))
    assert profile_hash(basis.resolved.profile) != stored["hash"]


def test_the_store_that_a_run_chose_is_chosen_again(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    store = tmp_path / "stores" / "night"
    store.mkdir(parents=True)
    (store / "index.json").touch()
    facts = {"store": {"name": "night", "path": str(store)}}
    (run / "environment.json").write_text(json.dumps(facts), encoding="utf-8")
    assert basis_of_run(run).kept == ('data.store="night"',)
    (tmp_path / "elsewhere").mkdir()
    moved = store.rename(tmp_path / "elsewhere" / "night")
    facts["store"]["path"] = str(moved)
    (run / "environment.json").write_text(json.dumps(facts), encoding="utf-8")
    assert basis_of_run(run).resolved.profile.data.store == str(moved)


def test_what_cannot_be_begun_with_is_one_line(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    change(run, "mode", "unheard")
    with pytest.raises(
        ProfileError, match=r"first: profile.json: mode: found \"unheard\", allowed"
    ):
        basis_of_run(run)
    stored = profile_file("gone", load_profile("paired"))
    (run / "profile.json").write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(NotFoundError, match=r"first: found no profile gone.*into ./profiles"):
        basis_of_run(run)
    (run / "profile.json").write_text("{", encoding="utf-8")
    with pytest.raises(NotFoundError, match=r"first: profile.json is missing or damaged"):
        basis_of_run(run)


@pytest.mark.parametrize("name", sorted(Library((PACKAGED,)).names()))
def test_overrides_between_two_profiles_of_a_mode_lead_from_one_to_the_other(name: str) -> None:
    """From the profile as shipped to one with another optimizer, schedule and balance, and back."""
    basis = basis_of_profile(name)
    changes = ["trainer.seed=9", "data.batch_size=12", "trainer.check_val_every_n_epoch=2"]
    if not name.startswith("lossless"):
        changes += [
            "trainer.optimizer={type = 'SGD', config = {lr = 0.5, momentum = 0.25}}",
            "trainer.scheduler={type = 'Constant', config = {}}",
            'description="two \\"quoted\\" words"',
        ]
    other = edited(basis, changes).profile
    there = overrides_between(basis.resolved.profile, other)
    assert profile_hash(edited(basis, there).profile) == profile_hash(other)
    back = overrides_between(other, basis.resolved.profile)
    again = load_profile(name, [*there, *back]).profile
    assert profile_hash(again) == profile_hash(basis.resolved.profile)


@pytest.mark.parametrize("name", sorted(Library((PACKAGED,)).names()))
def test_a_copy_that_nobody_changed_holds_no_edits(name: str, tmp_path: Path) -> None:
    basis = basis_of_profile(name)
    copy = tmp_path / "copy.toml"
    copy.write_text(toml_of(basis.resolved.profile), encoding="utf-8")
    assert edits_of_file(basis, copy) == []


def test_an_edited_copy_becomes_overrides_and_its_mistakes_have_lines(tmp_path: Path) -> None:
    basis = basis_of_profile("paired", DEMO)
    copy = tmp_path / "copy.toml"
    text = toml_of(basis.resolved.profile)
    copy.write_text(text.replace("seed = 7", "seed = 8"), encoding="utf-8")
    assert edits_of_file(basis, copy) == ["trainer.seed=8"]
    copy.write_text(text.replace("seed = 7", "seeed = 8"), encoding="utf-8")
    line = text.split("\n").index("seed = 7") + 1
    with pytest.raises(ProfileError, match=rf"copy.toml:{line}: .*did you mean 'seed'"):
        edits_of_file(basis, copy)
    copy.write_text(text.replace("seed = 7", "seed = "), encoding="utf-8")
    with pytest.raises(ProfileError, match=rf"copy.toml:{line}:\d+: TOML syntax"):
        edits_of_file(basis, copy)

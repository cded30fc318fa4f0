"""The JSON of a resolved profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli_w

from codecctl.engine.profile import load_profile, profile_from_json, profile_hash
from codecctl.engine.profile.library import PACKAGED
from codecctl.errors import ProfileError

SEARCH = (PACKAGED,)
PROFILE = load_profile("paired", search=SEARCH).profile


@pytest.mark.parametrize("overrides", [[], ["model=tiny", "trainer=demo"], ["trainer.num_gpus=2"]])
def test_a_profile_survives_json(overrides: list[str]) -> None:
    profile = load_profile("paired", overrides, search=SEARCH).profile
    text = json.dumps(profile.model_dump(mode="json"))
    assert profile_from_json(json.loads(text)) == profile


def test_a_profile_survives_toml(tmp_path: Path) -> None:
    profile = load_profile("paired", ["model=tiny", "trainer=demo"], search=SEARCH).profile
    text = tomli_w.dumps(profile.model_dump(mode="json"))
    (tmp_path / "again.toml").write_text(text)
    assert load_profile(str(tmp_path / "again.toml"), search=SEARCH).profile == profile


def test_the_hash_changes_with_every_value_that_trains() -> None:
    base = profile_hash(PROFILE)
    assert len(base) == 64
    assert profile_hash(load_profile("paired", search=SEARCH).profile) == base
    for override in ("trainer.seed=1", "data.val_seed=1", "model.quantizer.decay=0.98"):
        assert profile_hash(load_profile("paired", [override], search=SEARCH).profile) != base


def test_the_hash_does_not_change_with_words() -> None:
    other = load_profile("paired", ["description=other words"], search=SEARCH).profile
    assert other.description == "other words"
    assert profile_hash(other) == profile_hash(PROFILE)


def test_a_stored_profile_that_was_edited_wrongly_is_refused_with_all_its_errors() -> None:
    values = PROFILE.model_dump(mode="json")
    values["trainer"]["sede"] = 1
    values["data"]["rate"] = None
    with pytest.raises(ProfileError) as caught:
        profile_from_json(values, label="runs/a/profile.json")
    assert set(caught.value.problems) == {
        "runs/a/profile.json: trainer.sede: unknown key; did you mean 'seed'?",
        "runs/a/profile.json: data.rate: found null, allowed: a whole number from 1000 to 768000",
    }


def test_a_run_of_an_earlier_version_is_refused_in_one_line() -> None:
    values = PROFILE.model_dump(mode="json")
    del values["trainer"]["loss_config"]["spectral"]
    del values["trainer"]["loss_config"]["bottleneck"]["weights"]["kl"]
    with pytest.raises(ProfileError) as caught:
        profile_from_json(values, label="runs/a/profile.json")
    (line,) = caught.value.problems
    assert line.startswith("runs/a/profile.json: found no trainer.loss_config.")
    assert line.endswith(
        "(and 1 more), which this version needs: the run is of an earlier one; train it again"
    )


@pytest.mark.parametrize("mode", [None, "lossy", 3])
def test_a_stored_profile_of_an_unknown_mode_is_refused(mode: object) -> None:
    values = {**PROFILE.model_dump(mode="json"), "mode": mode}
    with pytest.raises(
        ProfileError,
        match=r"^profile\.json: mode: found .*, allowed: 'baseline' or 'mono' or .* or 'lossless'$",
    ):
        profile_from_json(values)

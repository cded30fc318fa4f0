"""`codecctl profile`: list, show, check, schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli
from typer.testing import CliRunner, Result

from codecctl.commands.profile import app
from codecctl.engine.profile import load_profile, profile_hash
from codecctl.errors import NotFoundError, ProfileError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_list_shows_a_line_for_each_profile_and_option() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[:2] == ["baseline-1ch", "baseline"]
    assert any(line.split()[:2] == ["paired", "paired"] for line in lines)
    assert any(line.startswith("model=seanet-tiny ") for line in lines)
    assert any(line.startswith("trainer=demo ") for line in lines)


def test_list_as_json_has_mode_description_and_file() -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert listed["schema"] == 1
    (paired,) = [entry for entry in listed["profiles"] if entry["name"] == "paired"]
    assert paired["mode"] == "paired"
    assert paired["file"] == "codecctl/profiles/paired.toml"
    (demo,) = [entry for entry in listed["options"] if entry["name"] == "demo"]
    assert (demo["group"], demo["overlay"]) == ("trainer", True)


def test_list_shows_a_broken_file_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "broken.toml").write_text("mode =")
    assert "profiles/broken.toml:1:7: TOML syntax" in run("list").stdout


def test_show_says_where_each_value_comes_from() -> None:
    lines = run("show", "paired", "trainer=demo", "epochs=9").stdout.splitlines()
    (epochs,) = [line for line in lines if line.startswith("trainer.max_epochs ")]
    assert epochs.split("#")[1] == " override epochs=9"
    assert epochs.split()[2] == "9"
    (rate,) = [line for line in lines if line.startswith("data.rate ")]
    assert rate.endswith("# codecctl/profiles/data/eigenscape.toml")


def test_show_lines_are_toml_that_loads_again_without_the_lists_of_tables() -> None:
    lines = run("show", "paired", "--no-provenance").stdout.splitlines()
    plain = [line for line in lines if not line.startswith("model.discriminators.")]
    values = tomli.loads("\n".join(plain))
    expected = load_profile("paired").profile.model_dump(mode="json")
    del expected["model"]["discriminators"]
    assert values == expected


def test_show_puts_notices_on_stderr() -> None:
    result = run("show", "paired")
    assert "kb/s are above" in result.stderr
    assert "kb/s are above" not in result.stdout


def test_show_as_json_holds_what_a_run_stores() -> None:
    shown = json.loads(run("show", "paired", "model=tiny", "--json").stdout)
    resolved = load_profile("paired", ["model=tiny"])
    assert shown == {
        "schema": 1,
        "profile": resolved.profile.model_dump(mode="json"),
        "provenance": resolved.provenance,
        "overrides": ["model=tiny"],
        "notices": list(resolved.notices),
        "hash": profile_hash(resolved.profile),
    }


def test_show_as_toml_is_a_profile(tmp_path: Path) -> None:
    (tmp_path / "again.toml").write_text(run("show", "paired", "model=tiny", "--toml").stdout)
    again = load_profile("again.toml").profile
    assert again == load_profile("paired", ["model=tiny"]).profile


def test_check_of_a_good_profile_counts_its_values() -> None:
    result = run("check", "paired")
    values = len(load_profile("paired").provenance)
    assert values > 100
    assert result.stdout.startswith(f"paired: {values} values, no errors\n")


def test_check_of_an_option_file_asks_only_for_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "profiles" / "trainer"
    folder.mkdir(parents=True)
    (folder / "good.toml").write_text("overlay = true\n[trainer]\nseed = 1\n")
    (folder / "bad.toml").write_text("overlay = true\n[trainer]\nsede = 1\nmax_epochs = 0\n")
    stars = "overlay = true\n[model.discriminators.'*']\nnum_filters = 2\n"
    (folder / "stars.toml").write_text(stars)
    good = run("check", "profiles/trainer/good.toml").stdout
    assert good == "profiles/trainer/good.toml: overlay of 'trainer', 1 values, no errors\n"
    assert "no errors" in run("check", "profiles/trainer/stars.toml").stdout
    with pytest.raises(ProfileError) as caught:
        run("check", "profiles/trainer/bad.toml")
    assert len(caught.value.problems) == 2
    assert caught.value.problems[0].startswith("profiles/trainer/bad.toml:")


def test_check_of_what_is_wrong_raises_with_all_problems() -> None:
    with pytest.raises(ProfileError) as caught:
        run("check", "paired", "trainer.seed=x", "data.rate=y")
    assert len(caught.value.problems) == 2
    with pytest.raises(NotFoundError, match="no profile 'piared'"):
        run("check", "piared")


def test_schema_is_one_json_document() -> None:
    schema = json.loads(run("schema").stdout)
    assert set(schema["properties"]) >= {"mode", "data", "model", "trainer", "overlay"}
    described = schema["$defs"]["Data"]["properties"]["silence_db"]["description"]
    assert "dB re full scale" in described

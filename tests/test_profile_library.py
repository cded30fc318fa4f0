"""Where profiles and options are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED, Library, label_of, search_path
from codecctl.engine.profile.listing import list_options, list_profiles
from codecctl.engine.profile.names import did_you_mean, same_name
from codecctl.errors import NotFoundError, ProfileError
from tests.own_profile import HEAD


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an empty configuration folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, text: str = HEAD) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_local_profiles_win_over_the_users_over_the_packaged(user: Path) -> None:
    put(user / "config/codecctl/profiles", "paired.toml", HEAD.replace("100", "200"))
    put(user / "config/codecctl/profiles", "other.toml", HEAD.replace("100", "300"))
    assert load_profile("paired").profile.data.items_per_epoch == 200
    put(user / "profiles", "paired.toml")
    assert load_profile("paired").profile.data.items_per_epoch == 100
    assert load_profile("other").profile.data.items_per_epoch == 300
    assert load_profile("paired").provenance["data.batch_size"] == "profiles/paired.toml"


def test_options_are_found_along_the_same_path(user: Path) -> None:
    put(user / "profiles/trainer", "short.toml", "overlay = true\n[trainer]\nmax_epochs = 6")
    resolved = load_profile("paired", ["trainer=short"])
    assert resolved.profile.trainer.max_epochs == 6
    assert resolved.provenance["trainer.max_epochs"] == "profiles/trainer/short.toml"
    assert resolved.provenance["trainer.seed"] == "codecctl/profiles/trainer/paired.toml"


def test_in_a_checkout_the_packaged_folder_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKAGED.parent)
    assert [folder for folder in search_path() if folder.samefile(PACKAGED)] == [PACKAGED]
    names = [entry.name for entry in list_profiles()]
    assert len(names) == len(set(names))
    assert label_of(PACKAGED / "paired.toml") == "profiles/paired.toml"


@pytest.mark.parametrize("written", ["my-profile", "MY_PROFILE", "My-Profile"])
def test_names_match_without_case_and_with_dash_as_underscore(user: Path, written: str) -> None:
    put(user / "profiles", "my_profile.toml")
    assert load_profile(written).profile.description == "mine"


def test_a_file_with_the_same_name_in_other_letters_is_replaced_not_doubled(user: Path) -> None:
    put(user / "profiles", "Paired.toml")
    names = [entry.name for entry in list_profiles()]
    assert "Paired" in names and "paired" not in names


def test_a_profile_is_also_found_by_path_with_options_beside_it(user: Path) -> None:
    put(user / "lab/model", "wide.toml", "overlay = true\n[model.generator]\nnum_filters = 64")
    put(user / "lab", "mine.toml")
    resolved = load_profile("lab/mine.toml", ["model=wide"])
    assert resolved.profile.model.generator.num_filters == 64
    assert resolved.provenance["data.batch_size"] == "lab/mine.toml"


def test_a_file_outside_the_working_directory_is_named_by_its_path(user: Path) -> None:
    put(user / "config/codecctl/profiles", "mine.toml")
    (user / "elsewhere").mkdir()
    here = Path.cwd()
    assert label_of(here / "config/codecctl/profiles/mine.toml").startswith("config/")
    assert label_of(Path("/nowhere/mine.toml")) == "/nowhere/mine.toml"


def test_an_unknown_profile_names_the_nearest_and_all(user: Path) -> None:
    message = (
        r"^no profile 'piared'; did you mean 'paired'\? "
        r"\(have: baseline-1ch, baseline-32ch, lossless-16bit, .*paired, paired-bounded, .*\)$"
    )
    with pytest.raises(NotFoundError, match=message) as caught:
        load_profile("piared")
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("path", ["nowhere.toml", "./nowhere", "profiles/"])
def test_a_profile_path_that_is_no_file_is_not_found(user: Path, path: str) -> None:
    with pytest.raises(NotFoundError, match=r"no such profile file$"):
        load_profile(path)


def test_an_unknown_option_names_the_nearest_and_all(user: Path) -> None:
    message = (
        r"^override model=tinny: no option 'tinny' in group 'model'; did you mean 'tiny'\? "
        r"\(have: lm, lm-tiny, .*seanet-tiny, soundstream, soundstream-tiny, .*\)$"
    )
    with pytest.raises(ProfileError, match=message):
        load_profile("paired", ["model=tinny"])


def test_tiny_is_the_tiny_option_of_the_family() -> None:
    library = Library((PACKAGED,))
    assert library.option("model", "tiny", family="seanet").path.name == "seanet-tiny.toml"
    assert library.option("model", "tiny", family="lm").path.name == "lm-tiny.toml"
    assert library.option("trainer", "demo", family="lm").path.name == "lm-demo.toml"
    assert library.option("model", "tiny", family="spectral").path.name == "spectral-tiny.toml"
    assert library.option("trainer", "demo", family="spectral").path.name == "spectral-demo.toml"
    assert library.option("model", "SEANet_real", family="spectral").path.name == "seanet-real.toml"
    assert library.option("trainer", "demo", family="seanet").path.name == "demo.toml"
    with pytest.raises(ProfileError, match="no option 'tiny'"):
        library.option("model", "tiny", family="wavenet")


def test_a_broken_file_is_listed_with_its_problem_and_hides_no_other(user: Path) -> None:
    put(user / "profiles", "broken.toml", "mode =")
    put(user / "profiles/data", "broken.toml", "[data")
    profiles = {entry.name: entry for entry in list_profiles()}
    assert profiles["broken"].problem.startswith("profiles/broken.toml:1:7: TOML syntax")
    assert profiles["paired"].problem == ""
    options = {entry.written: entry for entry in list_options()}
    assert options["data=broken"].problem.startswith("profiles/data/broken.toml:1:6: TOML syntax")
    assert options["model=seanet-tiny"].overlay


def test_did_you_mean_says_nothing_where_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["paired", "mono"]) == ""
    assert did_you_mean("MONO_", ["paired", "mono"]) == "; did you mean 'mono'?"
    assert same_name("SEANet-Real") == "seanet_real"

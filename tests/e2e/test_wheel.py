"""The built wheel works outside the checkout, beside the tested set of dependencies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["pyproject.toml", "README.md", "LICENSE", "codecctl", "engine", "datasets", "profiles"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the unpacked wheel, built from a copy of the sources."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(work), str(source)]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    (wheel,) = work.glob("*.whl")
    target = work / "site"
    install = ["install", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    return target


def run(site: Path, folder: Path, *arguments: str) -> str:
    """What a command of the installed wheel prints, run in a folder that is not the checkout."""
    code = "import sys; from codecctl.cli import main; sys.argv[0] = 'codecctl'; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_package_comes_from_the_wheel(site: Path, tmp_path: Path) -> None:
    names = ["codecctl", "codecctl.engine", "codecctl.datasets", "codecctl.profiles"]
    code = (
        "import importlib, json; "
        f"print(json.dumps([importlib.import_module(name).__file__ for name in {names!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(Path(file).is_relative_to(site) for file in json.loads(done.stdout))


def test_the_bare_names_are_not_installed(site: Path) -> None:
    assert {path.name for path in site.iterdir() if path.is_dir()} >= {"codecctl"}
    assert not any((site / name).exists() for name in ("datasets", "engine", "profiles"))


def test_profiles_groups_and_overlays_load(site: Path, tmp_path: Path) -> None:
    shown = run(site, tmp_path, "profile", "show", "paired", "trainer=demo", "model=tiny", "--json")
    assert json.loads(shown)["profile"]["mode"] == "paired"


def test_the_dashboard_finds_its_style_sheet(site: Path, tmp_path: Path) -> None:
    for name in ("dashboard/dashboard.tcss", "dashboard/item.html", "web/terminal.html"):
        assert (site / "codecctl" / name).is_file(), name
    assert "train" in run(site, tmp_path, "dashboard", "--once")


def test_synth_and_ingest_run_from_the_wheel(site: Path, tmp_path: Path) -> None:
    synth = ["data", "synth", "corpus", "--recordings", "1", "--seconds", "1", "--scenes", "Beach"]
    run(site, tmp_path, *synth)
    run(site, tmp_path, "data", "ingest", "corpus")
    listed = json.loads(run(site, tmp_path, "data", "list", "--json"))
    assert "corpus" in json.dumps(listed)

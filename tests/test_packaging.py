"""The packaging files, the folders and the pins agree with each other."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import tomli
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def project() -> dict[str, Any]:
    return tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def folders() -> set[str]:
    """Import names of every folder with an `__init__.py`, as they are installed."""
    found = set()
    for top, installed in {
        "codecctl": "codecctl",
        "engine": "codecctl.engine",
        "datasets": "codecctl.datasets",
        "profiles": "codecctl.profiles",
    }.items():
        for path in (ROOT / top).rglob("__init__.py"):
            relative = path.parent.relative_to(ROOT / top)
            found.add(".".join([installed, *relative.parts]))
    return found


def test_the_wheel_lists_every_package_and_no_other() -> None:
    assert sorted(project()["tool"]["setuptools"]["packages"]) == sorted(folders())


def test_every_dependency_is_pinned_within_its_range() -> None:
    data = project()["project"]
    wanted = [
        Requirement(line)
        for lines in [data["dependencies"], *data["optional-dependencies"].values()]
        for line in lines
    ]
    pinned: dict[str, list[str]] = {}
    for pin in pins():
        (only,) = pin.specifier
        pinned.setdefault(pin.name.lower().replace("_", "-"), []).append(only.version)
    for requirement in wanted:
        if requirement.name == "codecctl":
            continue
        versions = pinned.get(requirement.name.lower().replace("_", "-"))
        assert versions, f"{requirement.name} has no line in constraints.txt"
        for version in versions:
            assert requirement.specifier.contains(version), (requirement, version)


def test_constraints_hold_versions_only() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"https?://|--index|--extra|--find|@ ", text)


def test_torch_and_torchaudio_are_the_pair_that_imports() -> None:
    versions = {pin.name: str(pin.specifier) for pin in pins()}
    assert versions["torch"].startswith("==2.11.")
    assert versions["torchaudio"].startswith("==2.11.")


def test_the_installed_project_is_this_one() -> None:
    declared = {Requirement(line).name for line in project()["project"]["dependencies"]}
    installed = {
        Requirement(line).name for line in requires("codecctl") or [] if "extra ==" not in line
    }
    assert installed == declared


def test_every_profile_file_is_package_data() -> None:
    patterns = project()["tool"]["setuptools"]["package-data"]["codecctl.profiles"]
    below = ROOT / "profiles"
    shipped = {path for pattern in patterns for path in below.glob(pattern)}
    assert shipped == set(below.rglob("*.toml"))


def test_ci_runs_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "exec make test"

"""codecctl -> engine -> datasets; `codecctl.errors` is below all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What the modules of a layer may import of this project.
ALLOWED = {
    "datasets": ("codecctl.errors", "codecctl.datasets"),
    "engine": ("codecctl.errors", "codecctl.datasets", "codecctl.engine", "codecctl.profiles"),
    "profiles": (),
    "codecctl": ("codecctl",),
}
# A package that only some modules may name, and those modules.
RESERVED = {
    "torchaudio": 1,
    "lightning_fabric": 1,
}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file names in an import, also inside functions."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            assert node.module is not None
            yield node.module


def sources(layer: str) -> list[Path]:
    found = sorted((ROOT / layer).rglob("*.py"))
    assert found, f"{layer} has no modules"
    return found


def violations(layer: str, path: Path) -> list[str]:
    """Imports of a module of a layer that point upward or sideways."""
    allowed = ALLOWED[layer]
    return [
        f"{path.name} imports {name}"
        for name in imports(path)
        if name.split(".")[0] == "codecctl"
        and name != "codecctl"
        and not any(name == top or name.startswith(f"{top}.") for top in allowed)
    ]


def test_imports_point_downward() -> None:
    assert [
        line for layer in ALLOWED for path in sources(layer) for line in violations(layer, path)
    ] == []


def test_a_planted_violation_is_seen(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def f() -> None:\n    from codecctl.engine import loop\n", encoding="utf-8")
    assert violations("datasets", planted) == ["planted.py imports codecctl.engine"]
    assert violations("engine", planted) == []


def test_nothing_names_the_bare_packages_or_click() -> None:
    """`datasets` and `engine` are installed below codecctl; typer brings its own click."""
    forbidden = {"datasets", "engine", "profiles", "click"}
    for layer in ALLOWED:
        for path in sources(layer):
            assert forbidden.isdisjoint(name.split(".")[0] for name in imports(path)), path


def test_datasets_know_no_torch() -> None:
    for path in sources("datasets"):
        assert "torch" not in {name.split(".")[0] for name in imports(path)}, path


def test_torchaudio_and_fabric_each_enter_through_one_module() -> None:
    for package, number in RESERVED.items():
        users = [
            path
            for layer in ALLOWED
            for path in sources(layer)
            if package in {name.split(".")[0] for name in imports(path)}
        ]
        assert len(users) <= number, (package, users)

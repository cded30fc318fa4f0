"""The JSON schema for editors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import cast

import pytest
import tomli

from codecctl.engine.profile import MODES
from codecctl.engine.profile.editor import editor_schema
from codecctl.engine.profile.library import PACKAGED

Node = Mapping[str, object]
FILES = sorted(PACKAGED.rglob("*.toml"))


@cache
def schema() -> Node:
    return editor_schema()


def complaints(value: object, node: Node, path: str = "") -> Iterator[str]:
    """What an editor would underline, as far as tables, words and types go."""
    if "$ref" in node:
        definitions = cast(Mapping[str, Node], schema()["$defs"])
        node = definitions[str(node["$ref"]).rpartition("/")[2]]
    for choice in ("anyOf", "oneOf"):
        if choice in node:
            each = [list(complaints(value, n, path)) for n in cast(list[Node], node[choice])]
            yield from min(each, key=lambda found: (len(found), ": not " in str(found)))
    if isinstance(value, dict) and "properties" in node:
        properties = cast(Mapping[str, Node], node["properties"])
        for name, below in value.items():
            if name in properties:
                yield from complaints(below, properties[name], f"{path}.{name}")
            elif node.get("additionalProperties") is False:
                yield f"{path}.{name}: unknown"
    elif "type" in node and node["type"] != _json_type(value, str(node["type"])):
        yield f"{path}: not {node['type']}"
    elif isinstance(value, list) and isinstance(node.get("items"), Mapping):
        for item in value:
            yield from complaints(item, cast(Node, node["items"]), path)
    words = node.get("enum") or ([node["const"]] if "const" in node else None)
    if words is not None and value not in cast(list[object], words):
        yield f"{path}: none of {words}"


def _json_type(value: object, wanted: str) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    name = names.get(type(value), "object")
    return "number" if (name, wanted) == ("integer", "number") else name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGED).as_posix())
def test_an_editor_finds_nothing_wrong_in_a_shipped_file(path: Path) -> None:
    assert list(complaints(tomli.loads(path.read_text()), schema())) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("mode = 'pared'", f".mode: none of {list(MODES)}"),
        ("[trainer]\nsede = 1", ".trainer.sede: unknown"),
        ("[trainer]\nseed = 'x'", ".trainer.seed: not integer"),
        ("[trainer.optimizer]\ntype = 'LBFGS'", ".trainer.optimizer.type: none of ['Adadelta']"),
        ("[model.discriminators.'*']\nleek = 1", ".model.discriminators.*.leek: unknown"),
        ("overlay = 'yes'", ".overlay: not boolean"),
    ],
)
def test_an_editor_finds_what_a_profile_does_not_allow(text: str, complaint: str) -> None:
    assert list(complaints(tomli.loads(text), schema())) == [complaint]


def test_no_key_is_required_because_files_are_parts() -> None:
    assert "required" not in str(schema())

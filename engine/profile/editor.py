"""The JSON schema with which editors complete, explain and check profiles as they are typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from codecctl.engine.profile.schema import MODES
from codecctl.engine.profile.shape import EVERY

_OWN_KEYS: dict[str, object] = {
    "overlay": {
        "type": "boolean",
        "description": "Options of groups: true changes only what the file names, in any group.",
    },
}


def editor_schema() -> dict[str, object]:
    """Schema of any file of profiles: a part of a tree, so nothing in it is required."""
    trees = {facts.schema: facts.schema.model_json_schema() for facts in MODES.values()}
    definitions: dict[str, object] = {}
    properties: dict[str, object] = {}
    for tree in trees.values():
        definitions |= cast(dict[str, object], _partial(tree["$defs"]))
        for name, node in cast(dict[str, object], _partial(tree["properties"])).items():
            properties[name] = _either(properties[name], node) if name in properties else node
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "title": "codecctl profile, or option of a group",
        "properties": {**properties, **_OWN_KEYS},
        "$defs": definitions,
    }


def _either(first: object, second: object) -> object:
    """A node for what one of two trees allows; words of both where both list words."""
    if first == second:
        return first
    words = [*_words(first), *_words(second)]
    if _words(first) and _words(second) and isinstance(first, dict):
        kept = {name: value for name, value in first.items() if name not in ("enum", "const")}
        return {**kept, "enum": words}
    return {"anyOf": [first, second]}


def _words(node: object) -> list[object]:
    if not isinstance(node, dict):
        return []
    return list(node.get("enum") or ([node["const"]] if "const" in node else []))


def _partial(node: object) -> object:
    """The node without `required`, and with `[name."*"]` beside every list of tables."""
    if isinstance(node, list):
        return [_partial(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    partial = {name: _partial(below) for name, below in node.items() if name != "required"}
    items = partial.get("items")
    tables = isinstance(items, dict) and ("$ref" in items or "oneOf" in items)
    if partial.get("type") == "array" and tables:
        return {
            "description": partial.get("description", ""),
            "anyOf": [
                {"type": "array", "items": items},
                {"type": "object", "properties": {EVERY: items}},
            ],
        }
    return partial

"""The JSON schema with which editors complete, explain and check profiles as they are typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from codecctl.engine.profile.schema import Profile
from codecctl.engine.profile.shape import EVERY

_OWN_KEYS: dict[str, object] = {
    "overlay": {
        "type": "boolean",
        "description": "Options of groups: true changes only what the file names, in any group.",
    },
}


def editor_schema() -> dict[str, object]:
    """Schema of any file of profiles: a part of the tree, so nothing in it is required."""
    schema = cast(dict[str, object], _partial(Profile.model_json_schema()))
    properties = cast(dict[str, object], schema["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "codecctl profile, or option of a group",
        "properties": {**properties, **_OWN_KEYS},
    }


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

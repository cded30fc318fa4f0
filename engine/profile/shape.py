"""The schema as data: what may stand at a key, in words, and which variant of a table is meant.

pydantic validates; this answers what it does not: the allowed values as a sentence, names to
suggest, and what remains of a table when its `type` changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal, cast

from pydantic import BaseModel

Key = tuple[str, ...]
Node = Mapping[str, object]

EVERY = "*"
"""Stands for every position of a list in a key."""


_SHOWN = 5
"""Keys of a table that a message names."""


@dataclass(frozen=True)
class Shape:
    """What may stand at one key."""

    kind: Literal["table", "union", "list", "value"]
    allowed: str
    """In words, for `allowed: ...`."""
    words: tuple[str, ...] = ()
    """Texts that are allowed, where only some are."""
    types: frozenset[str] = frozenset()
    """JSON types of a value."""
    fields: Mapping[str, Shape] = field(default_factory=dict)
    """Keys of a table."""
    variants: tuple[Shape, ...] = ()
    """Tables of a union."""
    items: tuple[Shape, ...] = ()
    """Entries of a list: one shape for all, or one for each."""
    description: str = ""
    """What it is for; of a table without words of its own, what every such table is for."""
    others: tuple[Shape, ...] = ()
    """What stands at keys of a table that are free, if any are."""

    def variant(self, value: object) -> Shape | None:
        """The table of a union that a value (or a part of one) means; None if undecided."""
        if not isinstance(value, Mapping):
            return None
        if "type" in value:
            fitting = [v for v in self.variants if value["type"] in _types_of(v)]
        else:
            fitting = [
                v for v in self.variants if "type" not in v.fields and set(value) <= set(v.fields)
            ]
        return fitting[0] if len(fitting) == 1 and value else None

    def child(self, part: str, value: object) -> Shape | None:
        """What may stand at a key of this table or list whose present content is `value`."""
        if self.kind == "union":
            chosen = self.variant(value)
            return chosen.fields.get(part) if chosen else None
        if self.kind == "list" and (part.isdigit() or part == EVERY):
            position = 0 if part == EVERY else int(part)
            return self.items[min(position, len(self.items) - 1)]
        return self.fields.get(part) or (self.others[0] if self.others else None)

    def at(self, key: Key, values: object) -> Shape | None:
        """What may stand at a key below, given the present values; None where nothing may."""
        shape: Shape | None = self
        for part in key:
            if shape is None:
                return None
            shape, values = shape.child(part, values), content(values, part)
        return shape

    def names(self, value: object) -> tuple[str, ...]:
        """Keys of a table, of a union's variant, or of all its variants while undecided."""
        if self.kind != "union":
            return tuple(self.fields)
        chosen = self.variant(value)
        tables = (chosen,) if chosen else self.variants
        return tuple(dict.fromkeys(name for table in tables for name in table.fields))

    def leaves(self, path: Key = ()) -> Iterator[Key]:
        """Every key below that holds a value or a list of values."""
        if self.kind == "value" or (self.kind == "list" and self.items[0].kind == "value"):
            yield path
        for name, shape in self.fields.items():
            yield from shape.leaves((*path, name))
        for variant in self.variants:
            yield from variant.leaves(path)


def content(values: object, part: str) -> object:
    """What a table holds at a key, or a list at a position; None where nothing is."""
    if isinstance(values, Mapping):
        return cast(object, values.get(part))
    if isinstance(values, list) and part.isdigit() and int(part) < len(values):
        return cast(object, values[int(part)])
    return None


@cache
def shape_of(schema: type[BaseModel]) -> Shape:
    """The shape of a pydantic model."""
    root = cast(Node, schema.model_json_schema())
    return _shape(root, cast(Mapping[str, Node], root.get("$defs", {})))


def _types_of(table: Shape) -> tuple[str, ...]:
    kind = table.fields.get("type")
    return kind.words if kind else ()


def _shape(node: Node, definitions: Mapping[str, Node]) -> Shape:
    shape = _undescribed(node, definitions)
    text = str(node.get("description", ""))
    return replace(shape, description=text) if text else shape


def _undescribed(node: Node, definitions: Mapping[str, Node]) -> Shape:
    if "$ref" in node:
        return _shape(definitions[str(node["$ref"]).rpartition("/")[2]], definitions)
    if "oneOf" in node or "anyOf" in node:
        choices = tuple(
            choice
            for choice in _nodes(node["oneOf"] if "oneOf" in node else node["anyOf"])
            if choice.get("type") != "null"  # not to be written: TOML has no word for it
        )
        if len(choices) == 1:
            return _shape(choices[0], definitions)
        return _either(tuple(_shape(choice, definitions) for choice in choices))
    if node.get("type") == "object":
        properties = cast(Mapping[str, Node], node.get("properties", {}))
        fields = {name: _shape(child, definitions) for name, child in properties.items()}
        free = node.get("additionalProperties")
        if isinstance(free, Mapping):
            other = _shape(cast(Node, free), definitions)
            return Shape("table", f"a table of NAME = {other.allowed}", others=(other,))
        text = f"a table of {_few(tuple(fields))}" if fields else "an empty table"
        return Shape("table", text, fields=fields)
    if node.get("type") == "array":
        return _list(node, definitions)
    return _value(node)


def _nodes(value: object) -> tuple[Node, ...]:
    return tuple(cast(list[Node], value))


def _union(variants: tuple[Shape, ...]) -> Shape:
    types = tuple(word for variant in variants for word in _types_of(variant))
    if types:
        return Shape("union", f"a table of type {_or(types)}", words=types, variants=variants)
    forms = [f"{{{' = ..., '.join(variant.fields)} = ...}}" for variant in variants]
    return Shape("union", " or ".join(forms), variants=variants)


def _either(choices: tuple[Shape, ...]) -> Shape:
    if all(choice.kind == "table" for choice in choices):
        return _union(choices)
    return Shape(
        "value",
        " or ".join(dict.fromkeys(choice.allowed for choice in choices)),
        words=tuple(word for choice in choices for word in choice.words),
        types=frozenset().union(*(choice.types for choice in choices)),
        others=tuple(other for choice in choices for other in choice.others),
    )


def _list(node: Node, definitions: Mapping[str, Node]) -> Shape:
    if "prefixItems" in node:
        items = tuple(_shape(n, definitions) for n in _nodes(node["prefixItems"]))
        return Shape("list", f"a list of {len(items)}, each {items[0].allowed}", items=items)
    if node.get("maxItems") == 0:
        return Shape("list", "an empty list", items=(Shape("value", "nothing"),))
    item = _shape(cast(Node, node["items"]), definitions)
    least = "a list of at least one" if node.get("minItems") else "a list"
    return Shape("list", f"{least}, each {item.allowed}", items=(item,))


def _value(node: Node) -> Shape:
    options = cast(list[object], node.get("enum") or ([node["const"]] if "const" in node else []))
    words = tuple(option for option in options if isinstance(option, str))
    kind = str(node.get("type"))
    names = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    text = names.get(kind, "text that is not empty" if node.get("minLength") else "text")
    bounds = _bounds(node)
    allowed = _or(options) if options else f"{text} {bounds}".rstrip()
    return Shape("value", allowed, words=words, types=frozenset({kind}))


def _bounds(node: Node) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"from {low} to {high}"
    parts = {"at least": low, "above": above, "at most": high, "below": below}
    return " and ".join(f"{word} {number}" for word, number in parts.items() if number is not None)


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, ... ({len(names)} keys)"


def _or(words: Sequence[object]) -> str:
    quoted = [f"'{word}'" if isinstance(word, str) else f"{word}" for word in words]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))

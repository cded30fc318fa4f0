"""Every key of every tree: what may stand there, what it is for, what shipped profiles say.

The reference of keys in docs/trainer.md is written from this, and a test walks it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codecctl.engine.files import write_text_atomically
from codecctl.engine.profile.compose import load_profile
from codecctl.engine.profile.library import PACKAGED, Library
from codecctl.engine.profile.schema import MODES
from codecctl.engine.profile.shape import EVERY, Key, Shape, content, shape_of
from codecctl.errors import DataError, NotFoundError

BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"
"""Lines of a page between which the reference stands."""
RENEW = "codecctl profile keys --into docs/trainer.md"
"""The command that renews the page."""


@dataclass(frozen=True)
class KeyFact:
    """What is known of one key of a tree."""

    label: str
    """The key, with the variant of each table that has several: `scheduler[InverseLR].config`."""
    key: Key
    """`*` stands for every position of a list."""
    variants: tuple[tuple[Key, str], ...]
    """Tables on the way that have variants, and the variant that has the key."""
    allowed: str
    description: str
    modes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "key": ".".join(self.key),
            "label": self.label,
            "allowed": self.allowed,
            "description": self.description,
            "modes": list(self.modes),
        }

    def values_in(self, tree: object) -> Iterator[object]:
        """What stands there in a resolved tree; several in a list, none in other variants."""
        return _values(tree, self.key, (), dict(self.variants))


def key_facts() -> list[KeyFact]:
    """Keys of all trees; one that several modes have alike is there once."""
    found: dict[tuple[str, str, str], KeyFact] = {}
    for mode, facts in MODES.items():
        for fact in _walk(shape_of(facts.schema), mode):
            place = (fact.label, fact.allowed, fact.description)
            modes = (*found[place].modes, mode) if place in found else (mode,)
            found[place] = replace(fact, modes=modes)
    return sorted(found.values(), key=_order)


def values_by_profile(facts: Sequence[KeyFact]) -> list[dict[str, list[str]]]:
    """For each key what the shipped profiles say: value, as TOML writes it, to their names."""
    library = Library((PACKAGED,))
    trees = {
        name: load_profile(name, search=(PACKAGED,)).profile.model_dump(mode="json")
        for name in library.names()
    }
    told: list[dict[str, list[str]]] = []
    for fact in facts:
        said: dict[str, list[str]] = {}
        for name, tree in trees.items():
            if tree["mode"] not in fact.modes:
                continue
            written = list(dict.fromkeys(_written(value) for value in fact.values_in(tree)))
            if written:
                said.setdefault(" / ".join(written), []).append(name)
        told.append(dict(sorted(said.items(), key=lambda entry: -len(entry[1]))))
    return told


def markdown() -> str:
    """The reference: a table for each branch of the tree."""
    facts = key_facts()
    told = values_by_profile(facts)
    lines: list[str] = []
    branch = ""
    for fact, said in zip(facts, told, strict=True):
        if _branch(fact) != branch:
            branch = _branch(fact)
            lines += ["", f"### `{branch}`", "", "| key | allowed | shipped | meaning |"]
            lines.append("|---|---|---|---|")
        cells = (_name(fact, facts), fact.allowed, _shipped(said), fact.description)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines[1:], ""])


def renewed(page: str, *, label: str) -> str:
    """A page with the reference of today between its marks.

    Args:
        page: Its text.
        label: How messages call it.

    Raises:
        DataError: It has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{label}: found no lines '{BEGIN}' and '{END}', needed both")
    return f"{before}{BEGIN}\n{markdown()}{END}{after}"


def renew(path: Path) -> None:
    """Write the reference of today into a page.

    Raises:
        NotFoundError: There is no such page.
        DataError: It has no marks.
    """
    if not path.is_file():
        raise NotFoundError(f"{path}: no such page")
    text = renewed(path.read_text(encoding="utf-8"), label=str(path))
    write_text_atomically(path, text)


def _walk(
    shape: Shape,
    mode: str,
    label: str = "",
    key: Key = (),
    variants: tuple[tuple[Key, str], ...] = (),
) -> Iterator[KeyFact]:
    listed = shape.kind == "list" and shape.items[0].kind in ("table", "union")
    if listed:
        yield from _walk(shape.items[0], mode, label, (*key, EVERY), variants)
    elif shape.kind in ("value", "list"):
        text = " ".join(shape.description.split())
        yield KeyFact(label, key, variants, shape.allowed, text, (mode,))
    for name, below in shape.fields.items():
        described = below
        if name == "type" and len(below.words) == 1:
            described = replace(below, description=shape.description)
        inner = f"{label}.{name}" if label else name
        yield from _walk(described, mode, inner, (*key, name), variants)
    for variant in shape.variants:
        kind = variant.fields.get("type")
        for word in kind.words if kind else ("",):
            named = f"{label}[{word}]" if word else label
            chosen = (*variants, (key, word)) if word else variants
            yield from _walk(variant, mode, named, key, chosen)


def _values(tree: object, key: Key, done: Key, variants: Mapping[Key, str]) -> Iterator[object]:
    if done in variants and content(tree, "type") != variants[done]:
        return
    if not key:
        yield tree
    elif key[0] == EVERY:
        for entry in tree if isinstance(tree, list) else ():
            yield from _values(entry, key[1:], (*done, EVERY), variants)
    elif isinstance(tree, Mapping) and key[0] in tree:
        yield from _values(tree[key[0]], key[1:], (*done, key[0]), variants)


def _order(fact: KeyFact) -> tuple[object, ...]:
    """By heading; the types of a table before what they decide."""
    ends = [part for part in fact.key if part != "type"]
    return (_branch(fact), ends, fact.key[-1] != "type", fact.label, fact.modes)


def _branch(fact: KeyFact) -> str:
    """The heading that a key stands under."""
    depth = 3 if fact.key[:2] == ("trainer", "loss_config") else 2
    if len(fact.key) == 1:
        return "of the profile itself"
    inner = fact.key[1 : depth if len(fact.key) > depth else 1]
    return ".".join((fact.key[0], *inner))


def _name(fact: KeyFact, facts: Sequence[KeyFact]) -> str:
    several = sum(other.label == fact.label for other in facts) > 1
    return f"`{fact.label}`" + (f" ({', '.join(fact.modes)})" if several else "")


def _shipped(said: Mapping[str, Sequence[str]]) -> str:
    """The value that most profiles have, then the others with their profiles' names."""
    if not said:
        return "not chosen"
    first, *others = said
    parts = [f"`{first}`" if first else "empty"]
    parts += [f"`{other}` {', '.join(said[other])}" for other in others]
    return "; ".join(parts)


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

"""Everything that is wrong with a resolved tree, one line each: where, key, found, allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from codecctl.engine.profile.names import did_you_mean
from codecctl.engine.profile.refused import OPTIMIZERS, reason
from codecctl.engine.profile.schema import GROUPS
from codecctl.engine.profile.shape import Key, Shape, content
from codecctl.engine.profile.toml_file import line_of
from codecctl.engine.profile.tree import Source, Tree

_LONGEST = 60


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    key: Key
    what: str
    """Found and allowed, in words."""
    missing: bool = False
    """Whether the key is wrong by not being there."""
    related: tuple[Key, ...] = ()
    """Keys that it has to agree with."""


def disagreement(key: str, what: str, *related: str) -> Finding:
    """A key that does not agree with others, all as dotted names."""
    return Finding(
        tuple(key.split(".")), what, related=tuple(tuple(other.split(".")) for other in related)
    )


def findings_of(error: ValidationError, tree: Tree, shape: Shape) -> list[Finding]:
    """What pydantic found, by the keys and words that the user knows."""
    found: dict[Key, Finding] = {}
    for problem in error.errors(include_url=False):
        kind = problem["type"]
        key = _key_of(problem["loc"], tree.values, missing=kind == "missing")
        if kind == "extra_forbidden":
            finding = Finding(key, unknown_key(key, tree, shape))
        elif kind == "missing" and isinstance(tree.get(key[:-1]), list):
            finding = Finding(key[:-1], _wrong_value(key[:-1], tree, shape))  # a list too short
        elif kind == "missing":
            finding = Finding(
                key, f"is missing; needed: {_allowed(key, tree, shape)}", missing=True
            )
        elif kind.startswith("union_tag"):
            finding = _wrong_variant(key, tree, shape)
        else:
            finding = Finding(key, _wrong_value(key, tree, shape))
        found.setdefault(finding.key, finding)  # a union reports each of its members
    return list(_together(found.values()))


def _together(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, with several keys that one table lacks as one."""
    findings = list(findings)
    lacking: dict[Key, list[str]] = {}
    for finding in findings:
        if finding.missing:
            lacking.setdefault(finding.key[:-1], []).append(finding.key[-1])
    for finding in findings:
        table = finding.key[:-1]
        names = lacking.get(table, []) if finding.missing else []
        if len(names) < 2 or not table:
            yield finding
        elif finding.key[-1] == names[0]:
            yield Finding(table, f"lacks {', '.join(names)}", missing=True)


def describe(finding: Finding, tree: Tree) -> str:
    """The line for the user: file and line or override, key, what is wrong.

    Of several keys that do not agree the one on the command line is to blame: it was set last.
    """
    blamed = [(key, tree.source_of(key)) for key in (finding.key, *finding.related)]
    key, source = next((b for b in blamed if b[1].path is None), blamed[0])
    return f"{where_is(key, source)}: {'.'.join(finding.key)}: {finding.what}"


def unknown_key(key: Key, tree: Tree, shape: Shape) -> str:
    """What to say of a key that the tree does not have: the nearest one, or all."""
    if why := reason(key) or reason(_innermost(key, tree)):
        return f"there is no such key: {why}"
    lengths = range(1, len(key) + 1)
    length = next((n for n in lengths if not shape.at(key[:n], tree.values)), len(key))
    parent = shape.at(key[: length - 1], tree.values)
    siblings = parent.names(tree.get(key[: length - 1])) if parent else ()
    group = did_you_mean(key[0], GROUPS, cutoff=0.8) if len(key) == 1 else ""  # modle=tiny
    hint = group or did_you_mean(key[length - 1], siblings)
    leaves = list(shape.leaves())
    if not hint and key not in leaves:  # else another type has it, and this one what is allowed
        elsewhere = [".".join(leaf) for leaf in leaves if leaf[-1] == key[-1]]
        hint = f"; did you mean '{elsewhere[0]}'?" if elsewhere else ""
    return "unknown key" + (hint or f", allowed: {', '.join(siblings) or 'none here'}")


def _innermost(key: Key, tree: Tree) -> Key:
    """The key that was written where only that made the table of an unknown one."""
    value = tree.get(key)
    while isinstance(value, Mapping) and len(value) == 1:
        ((name, value),) = value.items()
        key = (*key, str(name))
    return key


def where_is(key: Key, source: Source) -> str:
    """The file and line or the override that a key was set by."""
    if source.path is None:
        return source.text
    written = key
    while written in source.written:
        written = source.written[written]
    line = line_of(source.path.read_text(encoding="utf-8"), written)
    return source.text if line is None else f"{source.text}:{line}"


def quoted(value: object) -> str:
    """A value as TOML would write it, cut where it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _key_of(location: Sequence[int | str], values: object, *, missing: bool) -> Key:
    """The key without the names of union members that pydantic puts between its parts."""
    key: list[str] = []
    for index, part in enumerate(location):
        text = str(part)
        last = missing and index == len(location) - 1
        if last or _holds(values, text):
            key.append(text)
            values = content(values, text)
    return tuple(key)


def _holds(values: object, part: str) -> bool:
    if isinstance(values, list):
        return part.isdigit() and int(part) < len(values)
    return isinstance(values, Mapping) and part in values


def _allowed(key: Key, tree: Tree, shape: Shape) -> str:
    here = shape.at(key, tree.values)
    return here.allowed if here else "nothing"


def _wrong_value(key: Key, tree: Tree, shape: Shape) -> str:
    value = tree.get(key)
    here = shape.at(key, tree.values)
    hint = did_you_mean(value, here.words) if here and isinstance(value, str) else ""
    if here and here.kind == "union" and hint:
        hint = f"; did you mean '{'.'.join((*key, 'type'))}'?"
    return f"found {quoted(value)}, allowed: {_allowed(key, tree, shape)}{hint}"


def _wrong_variant(key: Key, tree: Tree, shape: Shape) -> Finding:
    here, value = shape.at(key, tree.values), tree.get(key)
    words = here.words if here else ()
    options = ", ".join(f"'{word}'" for word in words)
    found = content(value, "type")
    if found is None:
        return Finding((*key, "type"), f"is missing; needed: {options}", missing=True)
    hint = did_you_mean(found, words) if isinstance(found, str) else ""
    if key[-1] == "optimizer" and isinstance(found, str) and found in OPTIMIZERS:
        hint = f"; {OPTIMIZERS[found]}"
    return Finding((*key, "type"), f"found {quoted(found)}, allowed: {options}{hint}")

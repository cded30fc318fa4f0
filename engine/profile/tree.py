"""Values of a profile while files and overrides are laid over each other, each with its source."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codecctl.engine.profile.shape import EVERY, Key, Shape, content


@dataclass(frozen=True, eq=False)
class Source:
    """Where values came from; two sources are the same only if they are one object."""

    text: str
    """For people and for the provenance: a file's label, or the override as typed."""
    path: Path | None = None
    """The file, to find lines in."""
    written: Mapping[Key, Key] = field(default_factory=dict)
    """Keys that the file writes by another name."""


class Tree:
    """Nested values and the source of every leaf.

    Tables merge key by key and everything else replaces. Where a table may be one of several
    variants and the variant changes, what the new one does not know goes: it belonged to the
    old one. A key into a list is a position, or `*` for every entry.
    """

    def __init__(self, shape: Shape, base: Source) -> None:
        self.base = base
        self._owners: dict[str, Source] = {}
        self.values: dict[str, object] = {}
        self.sources: dict[Key, Source] = {}
        self._shape = shape

    def merge(
        self, fragment: Mapping[str, object], source: Source, *, overlay: bool = False
    ) -> list[str]:
        """Lay a fragment of the tree over this one.

        Args:
            fragment: Nested values.
            source: Where they come from.
            overlay: Leave out what only other variants of a table know, so that an overlay goes
                with profiles of any variant.

        Returns:
            What does not fit: positions that a list does not have.
        """
        fitting = self._fitting(fragment, ()) if overlay else fragment
        return list(self._merge(self.values, fitting, source, ()))

    def drop(self, key: Key) -> None:
        """Remove a key and everything below it, and the tables that it leaves empty."""
        parent: object = self.values
        for part in key[:-1]:
            parent = content(parent, part)
        if isinstance(parent, dict) and key[-1] in parent:
            del parent[key[-1]]
            self._forget(key)
        if len(key) > 1 and (parent == {} or (isinstance(parent, list) and not any(parent))):
            self.drop(key[:-1])

    def restore(self, key: Key, other: Tree) -> None:
        """Take the value at a key, and everything below it, from another tree."""
        parent: dict[str, object] = self.values
        for part in key[:-1]:
            below = content(parent, part)
            if not isinstance(below, dict):
                below = parent[part] = {}
            parent = below
        parent[key[-1]] = copy.deepcopy(other.get(key))
        self._forget(key)
        below_key = {leaf: s for leaf, s in other.sources.items() if leaf[: len(key)] == key}
        self.sources.update(below_key)

    def own(self, name: str, source: Source) -> None:
        """Make a source the owner of a table at the top; what its last owner still holds goes."""
        if name in self._owners:
            self.withdraw(self._owners[name])
        self._owners[name] = source

    def withdraw(self, source: Source) -> None:
        """Remove every value that still comes from a source."""
        for key in [key for key, origin in self.sources.items() if origin is source]:
            self.drop(key)

    def get(self, key: Key) -> object:
        """The value at a key; None where there is none."""
        value: object = self.values
        for part in key:
            value = content(value, part)
        return value

    def source_of(self, key: Key) -> Source:
        """The source of a value, or of the first value in a table.

        Of a key that is not there: the one that owns the table that it should be in, of what
        stands beside it there, or `base`.
        """
        for length in range(len(key), 0, -1):
            if length == 1 < len(key) and key[0] in self._owners:
                break
            for leaf, source in self.sources.items():
                if leaf[:length] == key[:length]:
                    return source
        return self._owners.get(key[0], self.base)

    def _fitting(self, fragment: Mapping[str, object], path: Key) -> dict[str, object]:
        shape = self._shape.at(path, self.values)
        chosen = shape.variant(self.get(path)) if shape and shape.kind == "union" else None
        foreign: set[str] = set()
        if shape and chosen and "type" in chosen.fields and "type" not in fragment:
            foreign = {name for variant in shape.variants for name in variant.fields}
            foreign -= set(chosen.fields)
        return {
            name: self._fitting(value, (*path, name)) if isinstance(value, Mapping) else value
            for name, value in fragment.items()
            if name not in foreign
        }

    def _merge(
        self,
        table: dict[str, object],
        fragment: Mapping[str, object],
        source: Source,
        path: Key,
    ) -> Iterator[str]:
        for name, value in fragment.items():
            here, old = (*path, name), table.get(name)
            if isinstance(value, Mapping) and isinstance(old, list):
                yield from self._merge_entries(old, value, source, here)
            elif isinstance(value, Mapping) and isinstance(old, dict) and (value or old):
                if value:
                    self.sources.pop(here, None)  # the source of a table that was empty
                self._yield_to(old, value, here)
                yield from self._merge(old, value, source, here)
            else:
                table[name] = self._replace(here, value, source)

    def _merge_entries(
        self, entries: list[object], fragment: Mapping[str, object], source: Source, path: Key
    ) -> Iterator[str]:
        for position, value in fragment.items():
            known = position.isdigit() and int(position) < len(entries)
            if not known and position != EVERY:
                last = len(entries) - 1
                yield f"{'.'.join(path)}: found entry {position}, allowed: 0 to {last} or {EVERY}"
                continue
            for index in range(len(entries)) if position == EVERY else (int(position),):
                here, old = (*path, str(index)), entries[index]
                if isinstance(value, Mapping) and isinstance(old, dict):
                    self._yield_to(old, value, here)
                    yield from self._merge(old, value, source, here)
                elif path in self.sources:  # a list of plain values has one source
                    entries[index], self.sources[path] = value, source
                else:
                    entries[index] = self._replace(here, value, source)

    def _replace(self, key: Key, value: object, source: Source) -> object:
        self._forget(key)
        for leaf in leaves(value, key):
            self.sources[leaf] = source
        return copy.deepcopy(value)

    def _yield_to(self, old: dict[str, object], new: Mapping[str, object], key: Key) -> None:
        """Take from a table what the variant named by its successor does not know."""
        shape = self._shape.at(key, self.values)
        if shape is None or shape.kind != "union":
            return
        variant = shape.variant(new)
        if variant is not None and variant is not shape.variant(old):
            self._prune(old, variant, key)

    def _prune(self, table: dict[str, object], shape: Shape, path: Key) -> None:
        for name in list(table):
            known = shape.fields.get(name)
            below = table[name]
            if known is None:
                del table[name]
                self._forget((*path, name))
            elif known.kind == "table" and isinstance(below, dict):
                self._prune(below, known, (*path, name))

    def _forget(self, key: Key) -> None:
        for leaf in [leaf for leaf in self.sources if leaf[: len(key)] == key]:
            del self.sources[leaf]


def leaves(value: object, path: Key = (), *, into_lists: bool = True) -> Iterator[Key]:
    """Keys of everything below that is no table.

    Args:
        value: Nested tables.
        path: Key of the value itself.
        into_lists: Whether a list of tables is looked into, by position, or is a leaf.
    """
    if isinstance(value, Mapping) and value:
        for name, below in value.items():
            yield from leaves(below, (*path, str(name)), into_lists=into_lists)
    elif into_lists and value and isinstance(value, list) and _is_list_of_tables(value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, str(index)))
    else:
        yield path


def _is_list_of_tables(value: list[object]) -> bool:
    return all(isinstance(item, Mapping) for item in value)

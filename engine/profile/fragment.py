"""A file of profiles as a part of the tree: aliases replaced, its own settings set apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from codecctl.engine.profile.aliases import BRANCH_ALIASES, KEY_ALIASES
from codecctl.engine.profile.findings import where_is
from codecctl.engine.profile.library import File
from codecctl.engine.profile.schema import GROUPS
from codecctl.engine.profile.shape import Key, content
from codecctl.engine.profile.toml_file import read_toml
from codecctl.engine.profile.tree import Source, leaves


@dataclass(frozen=True)
class Fragment:
    """Values of one file."""

    name: str
    values: dict[str, object]
    source: Source
    overlay: bool
    """Sparse: changes only what it names, in any group."""
    description: str
    problems: tuple[str, ...]


def read_profile(file: File) -> Fragment:
    """The body of a profile.

    Raises:
        ProfileError: The file cannot be read.
    """
    values = read_toml(file.path, file.label)
    source, problems = _without_aliases(values, file)
    return Fragment(
        file.path.stem, values, source, False, str(values.get("description", "")), tuple(problems)
    )


def read_option(file: File, group: str) -> Fragment:
    """An option of a group.

    An option sets keys of its group, all of them; with `overlay = true` it sets some, of any.

    Raises:
        ProfileError: The file cannot be read.
    """
    values = read_toml(file.path, file.label)
    source, problems = _without_aliases(values, file)
    overlay, description = values.pop("overlay", False), str(values.pop("description", ""))
    if not isinstance(overlay, bool):
        where = where_is(("overlay",), source)
        problems.append(f"{where}: overlay: found {overlay!r}, allowed: true or false")
    allowed = GROUPS if overlay else (group,)
    for name in list(values):
        if name not in allowed:
            del values[name]
            needed = f"only '{group}', or any group with overlay = true"
            if overlay or name not in GROUPS:
                needed = ", ".join((*allowed, "description", "overlay"))
            where = where_is((name,), source)
            problems.append(f"{where}: {name}: found in an option of '{group}', allowed: {needed}")
    if not overlay and not isinstance(values.get(group), dict):
        problems.append(f"{file.label}: holds no table [{group}], needed in an option of '{group}'")
    return Fragment(file.path.stem, values, source, overlay is True, description, tuple(problems))


def _without_aliases(values: dict[str, object], file: File) -> tuple[Source, list[str]]:
    """Move what stands under an alias to its key, in place."""
    written: dict[Key, Key] = {}
    problems: list[str] = []
    for alias, target in (*BRANCH_ALIASES.items(), *KEY_ALIASES.items()):
        old = tuple(alias.split("."))
        moved = _take(values, old)
        for leaf in leaves(moved, into_lists=False) if moved is not None else ():
            new = (*target.split("."), *leaf)
            written[new] = (*old, *leaf)
            if not _put(values, new, _below(moved, leaf)):
                line = where_is(written[new], Source(file.label, file.path))
                problems.append(
                    f"{line}: {'.'.join(written[new])}: another name of {'.'.join(new)}, which "
                    "the file sets as well; keep one"
                )
    return Source(file.label, file.path, written), problems


def _below(value: object, key: Key) -> object:
    for part in key:
        value = content(value, part)
    return value


def _take(values: dict[str, object], key: Key) -> object:
    """Remove and return what stands at a key, with the tables that this leaves empty."""
    below = values.get(key[0])
    if len(key) == 1:
        return values.pop(key[0], None)
    if not isinstance(below, dict):
        return None
    taken = _take(cast(dict[str, object], below), key[1:])
    if taken is not None and not below:
        del values[key[0]]
    return taken


def _put(values: dict[str, object], key: Key, value: object) -> bool:
    """Set a key; False if something stands there or a part of it is no table."""
    for part in key[:-1]:
        below = values.setdefault(part, {})
        if not isinstance(below, dict):
            return False
        values = below
    if isinstance(values.get(key[-1]), Mapping) and value == {}:
        return True
    if key[-1] in values:
        return False
    values[key[-1]] = value
    return True

"""Profiles and options for people: lists, rows of a resolved profile, the check of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import tomli_w

from codecctl.engine.profile.compose import Resolved, load_profile
from codecctl.engine.profile.findings import describe
from codecctl.engine.profile.fragment import Fragment, read_option, read_profile
from codecctl.engine.profile.library import File, Library, label_of, search_path
from codecctl.engine.profile.schema import GROUPS, MODES, Profile
from codecctl.engine.profile.shape import EVERY, shape_of
from codecctl.engine.profile.tree import Tree
from codecctl.engine.profile.validate import validate_types
from codecctl.errors import ProfileError


@dataclass(frozen=True)
class ProfileEntry:
    """A profile of the search path."""

    name: str
    mode: str
    description: str
    file: str
    problem: str = ""
    """Why it cannot be read; empty if it can."""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class OptionEntry:
    """An option of a group."""

    group: str
    name: str
    overlay: bool
    description: str
    file: str
    problem: str = ""

    @property
    def written(self) -> str:
        """As it is typed on the command line."""
        return f"{self.group}={self.name}"

    def as_dict(self) -> dict[str, str | bool]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """One value of a resolved profile."""

    key: str
    value: str
    source: str


def list_profiles(search: Sequence[Path] | None = None) -> list[ProfileEntry]:
    """Every profile of the search path by name; a broken file is listed with its problem."""
    entries = []
    for name, file in _library(search).names().items():
        try:
            fragment = read_profile(file)
        except ProfileError as error:
            entries.append(ProfileEntry(name, "?", "", file.label, str(error)))
            continue
        mode = str(fragment.values.get("mode", "?"))
        entries.append(ProfileEntry(name, mode, fragment.description, file.label))
    return entries


def list_options(search: Sequence[Path] | None = None) -> list[OptionEntry]:
    """Every option of every group; a broken file is listed with its problem."""
    entries = []
    for group in GROUPS:
        for name, file in _library(search).names(group).items():
            try:
                fragment = read_option(file, group)
            except ProfileError as error:
                entries.append(OptionEntry(group, name, False, "", file.label, str(error)))
                continue
            entries.append(
                OptionEntry(group, name, fragment.overlay, fragment.description, file.label)
            )
    return entries


def rows(resolved: Resolved) -> Iterator[Row]:
    """Every value in the order of the schema, written as TOML."""
    yield from _rows(resolved.profile.model_dump(mode="json"), (), resolved.provenance)


def _rows(value: object, path: tuple[str, ...], provenance: dict[str, str]) -> Iterator[Row]:
    key = ".".join(path)
    if value is None:
        return  # a key that may be absent, and is
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from _rows(below, (*path, name), provenance)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, below in enumerate(value):
            yield from _rows(below, (*path, str(index)), provenance)
    else:
        written = inline(value)
        yield Row(key, written, provenance.get(key, ""))


def inline(value: object) -> str:
    """A value as TOML writes it on one line, as behind `key=`."""
    if isinstance(value, list):
        return f"[{', '.join(inline(item) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_written_key(name)} = {inline(item)}" for name, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return tomli_w.dumps({"v": value}).partition("=")[2].strip()


def _written_key(name: str) -> str:
    return tomli_w.dumps({name: 0}).rpartition("=")[0].strip()


def check_file(name: str, overrides: Sequence[str]) -> list[str]:
    """Check a profile by name or path, or an option of a group by path.

    Returns:
        What was found to be right, and notices.

    Raises:
        ProfileError: Everything that is wrong, one line each.
        NotFoundError: There is no such profile or file.
    """
    path = Path(name)
    group = path.absolute().parent.name
    if path.is_file() and group in GROUPS:
        return [_check_option(File(path, label_of(path)), group)]
    resolved = load_profile(name, overrides)
    summary = f"{name}: {len(resolved.provenance)} values, no errors"
    return [summary, *(f"{name}: {notice}" for notice in resolved.notices)]


def _check_option(file: File, group: str) -> str:
    """An option alone lacks what the profile brings, so what is missing is no error."""
    fragment = read_option(file, group)
    # Whichever tree it is meant for: the one in which the least of it is wrong.
    schemas = dict.fromkeys(facts.schema for facts in MODES.values())
    count, problems = min((_misfits(fragment, schema) for schema in schemas), key=_how_many)
    if fragment.problems or problems:
        raise ProfileError([*fragment.problems, *problems])
    kind = "overlay" if fragment.overlay else "option"
    return f"{file.label}: {kind} of '{group}', {count} values, no errors"


def _misfits(fragment: Fragment, schema: type[Profile]) -> tuple[int, list[str]]:
    """How many values an option sets, and what is wrong with them in a tree."""
    tree = Tree(shape_of(schema), fragment.source)
    tree.merge(cast(dict[str, object], _entries(fragment.values)), fragment.source)
    _, findings = validate_types(tree, schema)
    return len(tree.sources), [describe(each, tree) for each in findings if not each.missing]


def _how_many(misfits: tuple[int, list[str]]) -> int:
    return len(misfits[1])


def _entries(values: object) -> object:
    """The values with `[name."*"]` as a list of one entry: there is nothing to lay it over."""
    if not isinstance(values, dict):
        return values
    if list(values) == [EVERY]:
        return [_entries(values[EVERY])]
    return {name: _entries(below) for name, below in values.items()}


def _library(search: Sequence[Path] | None) -> Library:
    return Library(search_path() if search is None else tuple(search))

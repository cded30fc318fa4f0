"""From a name and overrides to a resolved profile.

1  options of the groups that the profile's `defaults` name
2  the profile itself
3  options chosen on the command line, left to right: a complete one takes the place of the
   option before it (what only the profile itself says stays), an overlay changes what it names
4  KEY=VALUE and ~KEY, left to right
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from codecctl.engine.profile.aliases import PROFILE_ALIASES
from codecctl.engine.profile.checks_lossless import notices_lossless
from codecctl.engine.profile.findings import Finding, describe, quoted, unknown_key, where_is
from codecctl.engine.profile.fragment import Fragment, read_option, read_profile
from codecctl.engine.profile.library import Library, search_path
from codecctl.engine.profile.names import did_you_mean, same_name
from codecctl.engine.profile.notices import notices
from codecctl.engine.profile.overrides import (
    Assign,
    Choose,
    Override,
    Reset,
    parse_overrides,
    parse_value,
)
from codecctl.engine.profile.schema import GROUPS, MODES, LosslessProfile, Profile
from codecctl.engine.profile.shape import Shape, shape_of
from codecctl.engine.profile.tree import Source, Tree
from codecctl.engine.profile.validate import validate
from codecctl.errors import NotFoundError, ProfileError


@dataclass(frozen=True)
class Resolved:
    """A profile with everything that made it."""

    profile: Profile
    provenance: dict[str, str]
    """Key path of every value to the file or override that it came from."""
    notices: tuple[str, ...]
    """What the user should know of it, one line each."""
    overrides: tuple[str, ...]
    """As given, in order."""


@dataclass
class _Parts:
    """What was read before anything is laid over anything."""

    body: Fragment
    defaults: dict[str, Fragment] = field(default_factory=dict)
    choices: list[tuple[Choose, Fragment]] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """Groups of which an option is missing or broken."""
    problems: list[str] = field(default_factory=list)


def load_profile(
    name: str, overrides: Sequence[str] = (), *, search: Sequence[Path] | None = None
) -> Resolved:
    """The resolved profile of a name or a path.

    Args:
        name: Name of a profile of the search path, or path of a TOML file.
        overrides: `group=option`, `key=value`, `~key`, as typed.
        search: Folders of profiles instead of the usual ones; the last wins.

    Raises:
        NotFoundError: There is no such profile.
        ProfileError: Everything that is wrong with it, one line each.
    """
    library = Library(search_path() if search is None else tuple(search))
    file = library.profile(PROFILE_ALIASES.get(same_name(name), name))
    body = read_profile(file)
    family = str(body.values.get("family", ""))
    instructions, problems = parse_overrides(overrides, family=family)
    parts = _Parts(body, problems=problems)
    library = library.beside(file)
    mode = _mode(parts)
    shape = shape_of(MODES[mode].schema)
    _read_options(parts, library, instructions)
    tree = _lay_files(parts, shape, overlays=True)
    _lay_overrides(tree, parts, shape, instructions)
    profile, findings = validate(tree, _mode_of(tree, mode))
    parts.problems += _problems(findings, tree, parts, library)
    if profile is None or parts.problems:
        raise ProfileError(parts.problems)
    return Resolved(
        profile=profile,
        provenance={".".join(key): tree.sources[key].text for key in sorted(tree.sources)},
        notices=tuple(_notices(profile)),
        overrides=tuple(overrides),
    )


def family_of(name: str) -> str:
    """The family that the file of a profile names; "" where there is none, or no such profile."""
    try:
        file = Library(search_path()).profile(PROFILE_ALIASES.get(same_name(name), name))
        return str(read_profile(file).values.get("family", ""))
    except (NotFoundError, ProfileError):
        return ""  # `load_profile` says what is wrong with it


def _notices(profile: Profile) -> Iterator[str]:
    if isinstance(profile, LosslessProfile):
        return notices_lossless(profile)
    return notices(profile)


def _problems(
    findings: Sequence[Finding], tree: Tree, parts: _Parts, library: Library
) -> Iterator[str]:
    for finding in findings:
        group = finding.key[0]
        if finding.missing and group in parts.unread:
            continue  # without its option every key is missing, and one line says that already
        if finding.key == (group,) and group in GROUPS and tree.get((group,)) is None:
            have = ", ".join(library.names(group))
            finding = replace(
                finding, what=f"is missing; name an option in defaults.{group} (have: {have})"
            )
        yield describe(finding, tree)


def _mode(parts: _Parts) -> str:
    """The profile's mode; without one nothing else can be judged."""
    mode = parts.body.values.get("mode")
    if isinstance(mode, str) and mode in MODES:
        return mode
    found = f"found {quoted(mode)}" if mode is not None else "is missing"
    hint = did_you_mean(mode, list(MODES)) if isinstance(mode, str) else ""
    allowed = ", ".join(f"'{known}'" for known in MODES)
    where = where_is(("mode",), parts.body.source)
    problem = f"{where}: mode: {found}, allowed: {allowed}{hint}"
    raise ProfileError([*parts.problems, *parts.body.problems, problem])


def _mode_of(tree: Tree, mode: str) -> str:
    """The mode that an override chose, where its tree is the same; else that of the profile."""
    chosen = tree.values.get("mode")
    known = isinstance(chosen, str) and chosen in MODES
    return str(chosen) if known and MODES[str(chosen)].schema is MODES[mode].schema else mode


def _read_options(parts: _Parts, library: Library, instructions: Sequence[Override]) -> None:
    family = str(parts.body.values.get("family", ""))
    parts.problems += parts.body.problems
    for group, option in _defaults(parts):
        where = where_is(("defaults", group), parts.body.source)
        fragment = _read_option(parts, library, group, option, family=family, where=where)
        if fragment and fragment.overlay:
            parts.unread.add(group)
            parts.problems.append(
                f"{where}: defaults.{group}: '{option}' is an overlay, needed: a complete option"
            )
        elif fragment:
            parts.defaults[group] = fragment
    for choice in instructions:
        if isinstance(choice, Choose):
            fragment = _read_option(
                parts,
                library,
                choice.group,
                choice.option,
                family=family,
                where=f"override {choice.text}",
            )
            if fragment:
                parts.choices.append((choice, fragment))


def _defaults(parts: _Parts) -> Iterator[tuple[str, str]]:
    """Group and option of the profile's `defaults`; what is wrong with them becomes a problem."""
    table = parts.body.values.setdefault("defaults", {})
    if not isinstance(table, dict):
        parts.unread.update(GROUPS)  # validation reports the table
        return
    for group in GROUPS:
        option = table.setdefault(group, "")
        if not isinstance(option, str):
            parts.unread.add(group)  # validation reports the name
        elif option:
            yield group, option


def _read_option(
    parts: _Parts, library: Library, group: str, option: str, *, family: str, where: str
) -> Fragment | None:
    try:
        file = library.option(group, option, family=family)
    except ProfileError as error:
        parts.problems.append(f"{where}: {error}")
        parts.unread.add(group)
        return None
    try:
        fragment = read_option(file, group)
    except ProfileError as error:
        parts.problems += error.problems
        parts.unread.add(group)
        return None
    if fragment.problems:
        parts.problems += fragment.problems
        parts.unread.add(group)
    return fragment


def _lay_files(parts: _Parts, shape: Shape, *, overlays: bool) -> Tree:
    tree = Tree(shape, parts.body.source)
    for group, fragment in parts.defaults.items():
        tree.own(group, fragment.source)
    for fragment in (*parts.defaults.values(), parts.body):
        tree.merge(fragment.values, fragment.source)
    for choice, fragment in parts.choices:
        if fragment.overlay and not overlays:
            continue
        misfits = tree.merge(fragment.values, fragment.source, overlay=fragment.overlay)
        parts.problems += [f"{fragment.source.text}: {misfit}" for misfit in misfits]
        if not fragment.overlay:
            tree.own(choice.group, fragment.source)
            named = {"defaults": {choice.group: fragment.name}}
            tree.merge(named, Source(f"override {choice.text}"))
    return tree


def _lay_overrides(
    tree: Tree, parts: _Parts, shape: Shape, instructions: Sequence[Override]
) -> None:
    for override in instructions:
        if isinstance(override, Assign):
            value = parse_value(override.written, shape.at(override.key, tree.values))
            nested: Mapping[str, object] = {override.key[-1]: value}
            for part in reversed(override.key[:-1]):
                nested = {part: nested}
            source = Source(f"override {override.text}")
            misfits = tree.merge(nested, source)
            parts.problems += [f"{source.text}: {misfit}" for misfit in misfits]
        elif isinstance(override, Reset):
            _reset(tree, parts, shape, override)


def _reset(tree: Tree, parts: _Parts, shape: Shape, override: Reset) -> None:
    plain = _lay_files(parts, shape, overlays=False)
    if plain.get(override.key) is not None:
        tree.restore(override.key, plain)
    elif tree.get(override.key) is not None:
        tree.drop(override.key)
    else:
        key = ".".join(override.key)
        what = unknown_key(override.key, tree, shape)
        parts.problems.append(f"override {override.text}: {key}: {what}")

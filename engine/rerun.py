"""The profile of a run as the start of another run: its values as overrides, and changes to them.

Needs no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from codecctl.engine.profile import Profile, Resolved, load_profile, profile_from_json, profile_hash
from codecctl.engine.profile.listing import inline
from codecctl.engine.resume import merged_overrides, stored_profile, stored_store
from codecctl.errors import NotFoundError, ProfileError

_AUTO = "auto"
_WORDS = ("defaults",)
"""Says which options values came from; the values themselves stand beside it."""
_SHOWN = 3


@dataclass(frozen=True)
class Basis:
    """What another run begins with."""

    name: str
    """Of the profile."""
    overrides: tuple[str, ...]
    """With them the profile has the values of the run."""
    resolved: Resolved
    kept: tuple[str, ...] = ()
    """Those of them that the files of profiles say differently today, or the command left open."""


def basis_of_run(run: Path) -> Basis:
    """The profile of a run, with the values and the store that it was trained with.

    Args:
        run: The run folder.

    Raises:
        NotFoundError: The run has no profile, or its profile is gone.
        ProfileError: The profile is of an earlier version, or does not allow these values any more.
    """
    stored = stored_profile(run)
    name, values = stored.get("name"), stored.get("profile")
    if not isinstance(name, str) or not isinstance(values, Mapping):
        raise NotFoundError(f"{run.name}: profile.json is missing or damaged; needed to begin with")
    then = profile_from_json(values, label=f"{run.name}: profile.json")
    given = merged_overrides(stored.get("overrides"), ())
    try:
        now = load_profile(name, given)
    except NotFoundError:
        raise NotFoundError(
            f"{run.name}: found no profile {name}, which it was started with; put its TOML file "
            "into ./profiles"
        ) from None
    kept = [] if _same(now.profile, then) else overrides_between(now.profile, then)
    if not _same(load_profile(name, [*given, *kept]).profile, then):
        raise ProfileError(
            f"{run.name}: profile {name} has changed since and cannot take all of its values; "
            f"train --profile {name} takes those of today"
        )
    kept += _store_override(run, then)
    overrides = (*given, *kept)
    return Basis(name, overrides, load_profile(name, overrides), tuple(kept))


def basis_of_profile(name: str, overrides: Sequence[str] = ()) -> Basis:
    """A profile of the search path as it stands.

    Raises:
        NotFoundError: There is no such profile.
        ProfileError: It is not right.
    """
    return Basis(name, tuple(overrides), load_profile(name, overrides))


def edited(basis: Basis, edits: Sequence[str]) -> Resolved:
    """The profile with changes.

    Args:
        basis: What to begin with.
        edits: `key=value`, `group=option` or `~key`, as behind `train`.

    Raises:
        ProfileError: Everything that is wrong with it, one line each.
    """
    return load_profile(basis.name, [*basis.overrides, *edits])


def overrides_between(old: Profile, new: Profile) -> list[str]:
    """Overrides that make the values of one profile those of another of the same family."""
    return list(_assignments(_values(old), _values(new), ()))


def toml_of(profile: Profile) -> str:
    """Every value of a profile as a TOML file that loads again."""
    return tomli_w.dumps(_values(profile))


def edits_of_file(basis: Basis, path: Path) -> list[str]:
    """What somebody changed in a copy of a profile, as overrides.

    Args:
        basis: Whose `toml_of` the copy was.
        path: The copy.

    Raises:
        ProfileError: Everything that is wrong in the copy, with its lines.
    """
    new = load_profile(str(path)).profile
    edits = overrides_between(basis.resolved.profile, new)
    if not _same(edited(basis, edits).profile, new):
        shown = ", ".join(edits[:_SHOWN])
        raise ProfileError(
            f"{path.name}: {shown}: cannot be said as changes to profile {basis.name}; save the "
            "file as a profile of its own, and train --profile FILE"
        )
    return edits


def _same(one: Profile, other: Profile) -> bool:
    return profile_hash(one) == profile_hash(other)


def _values(profile: Profile) -> dict[str, object]:
    return profile.model_dump(mode="json", exclude_none=True)


def _store_override(run: Path, profile: Profile) -> list[str]:
    """The store that a run chose by itself, so that the next one chooses the same."""
    found = stored_store(run)
    if profile.data.store != _AUTO or not (Path(found) / "index.json").is_file():
        return []
    place = Path(found).absolute()
    beside = run.absolute().parent.parent / "stores"
    return [f"data.store={inline(place.name if place.parent == beside else str(place))}"]


def _assignments(
    old: Mapping[str, object],
    new: Mapping[str, object],
    path: tuple[str, ...],
    *,
    other_type: bool = False,
) -> Iterator[str]:
    """What leads from one table to another; of another type, what that does not know goes alone."""
    other_type = other_type or old.get("type") != new.get("type")
    # The type first: it decides which of the other keys may stand there.
    for name in sorted(new, key=lambda name: name != "type"):
        here, value = (*path, name), new[name]
        if old.get(name) != value and here[0] not in _WORDS:
            yield from _assignment(old.get(name), value, here, other_type=other_type)
    for name in old:
        if name not in new and not other_type:
            yield f"~{'.'.join((*path, name))}"


def _assignment(
    before: object, value: object, path: tuple[str, ...], *, other_type: bool
) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(value, Mapping) and before and value:
        yield from _assignments(before, value, path, other_type=other_type)
    elif _alike(before, value):
        assert isinstance(before, list)
        assert isinstance(value, list)
        for index, (left, right) in enumerate(zip(before, value, strict=True)):
            yield from _assignments(left, right, (*path, str(index)))
    else:
        yield f"{'.'.join(path)}={inline(value)}"


def _alike(one: object, other: object) -> bool:
    """Whether both are lists of as many tables."""
    lists = [each for each in (one, other) if isinstance(each, list)]
    tables = all(isinstance(entry, Mapping) for each in lists for entry in each)
    return len(lists) == 2 and len(lists[0]) == len(lists[1]) > 0 and tables

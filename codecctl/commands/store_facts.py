"""What is known of a store beside its audio: verdict, splits, and the profiles that can train."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.errors import CodecctlError, ProfileError

if TYPE_CHECKING:
    from codecctl.datasets.store import Store

CHECK_NAME = "check.json"
_MOST_BYTES = 1 << 26


@dataclass(frozen=True)
class CheckState:
    """The last `data check` of a store."""

    verdict: str
    created: str
    stale: bool
    """The store has changed since."""


@dataclass(frozen=True)
class SplitState:
    """One split that is kept with a store."""

    name: str
    text: str
    """How it was made, or what is wrong with it."""
    folds: int
    changed: str
    """What of the store changed since; "damaged" for a file that cannot be read."""


def check_state(store: Store) -> CheckState | None:
    """The verdict that `data check` left in the folder of a store; None where there is none."""
    path = store.path / CHECK_NAME
    try:
        if path.stat().st_size > _MOST_BYTES:
            return CheckState("unreadable", "", stale=True)
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return CheckState("unreadable", "", stale=True)
    if not isinstance(content, dict):
        return CheckState("unreadable", "", stale=True)
    verdict, created = content.get("verdict"), content.get("created")
    return CheckState(
        verdict if isinstance(verdict, str) else "unknown",
        created if isinstance(created, str) else "",
        stale=content.get("fingerprint") != store.fingerprint,
    )


def split_states(store: Store) -> list[SplitState]:
    """Every split of a store; a damaged one says so."""
    from codecctl.datasets.split_file import read_split, split_names, state_of

    states = []
    for name in split_names(store.path):
        try:
            split = read_split(store.path, name)
        except CodecctlError as error:
            states.append(SplitState(name, str(error), 0, "damaged"))
            continue
        changed = state_of(store, split)
        states.append(SplitState(name, str(split.method), len(split.folds), changed))
    return states


def fitting_profiles(store_folder: Path) -> tuple[list[str], dict[str, str]]:
    """Names of the profiles that a store fits, and why it does not fit the others."""
    from codecctl.datasets.store import read_index
    from codecctl.engine.need import misfit_of
    from codecctl.engine.profile import load_profile
    from codecctl.engine.profile.listing import list_profiles

    index = read_index(store_folder)
    fits: list[str] = []
    misfits: dict[str, str] = {}
    for entry in list_profiles():
        try:
            why = misfit_of(load_profile(entry.name).profile, index)
        except ProfileError:
            continue  # `profile check` explains it
        if why:
            misfits[entry.name] = why
        else:
            fits.append(entry.name)
    return fits, misfits

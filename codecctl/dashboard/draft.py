"""A run that is about to be started: the profile that it begins with, and what is changed."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.dashboard.detached import start_training, tell_failure
from codecctl.engine.profile import MODES, Resolved
from codecctl.engine.profile.listing import Row, rows
from codecctl.engine.profile.shape import Shape, shape_of
from codecctl.engine.rerun import Basis, edited
from codecctl.errors import CodecctlError

if TYPE_CHECKING:
    from codecctl.dashboard.app import DashboardApp

LOG = "start.log"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+-]*")


@dataclass(frozen=True)
class Draft:
    """A profile with changes; never written anywhere until it is started."""

    basis: Basis
    resolved: Resolved
    """With the changes, as far as they are right."""
    edits: tuple[str, ...] = ()
    """As behind `train`, in order."""
    problems: tuple[str, ...] = ()
    """Why the profile cannot be trained as changed; empty when it can."""

    def with_edits(self, edits: tuple[str, ...]) -> Draft:
        """Other changes in place of these."""
        try:
            resolved = edited(self.basis, edits)
        except CodecctlError as error:
            return replace(self, edits=edits, problems=tuple(str(error).split("\n")))
        return Draft(self.basis, resolved, edits)

    def with_edit(self, text: str) -> Draft:
        """One more change; an earlier one of the same key goes."""
        text = tidy(text)
        kept = tuple(each for each in self.edits if key_of(each) != key_of(text))
        return self.with_edits((*kept, text))

    def without_edit(self, key: str) -> Draft:
        """Without the changes at a key."""
        return self.with_edits(tuple(each for each in self.edits if key_of(each) != key))

    def rows(self) -> tuple[Row, ...]:
        """Every value with its source."""
        return tuple(rows(self.resolved))

    def before(self) -> Mapping[str, str]:
        """Every value of the profile that it begins with, by key."""
        return {row.key: row.value for row in rows(self.basis.resolved)}

    def changes(self) -> list[str]:
        """What is different from the beginning, as `key old → new`."""
        before, now = self.before(), {row.key: row.value for row in self.rows()}
        return [
            f"{key} {before.get(key, 'nothing')} → {now.get(key, 'nothing')}"
            for key in dict.fromkeys((*now, *before))
            if now.get(key) != before.get(key) and not key.startswith("defaults.")
        ]

    def describe(self, key: str) -> str:
        """What a key is for and what may stand there; "" for one that there is not."""
        profile = self.resolved.profile
        shape: Shape | None = shape_of(MODES[profile.mode].schema)
        if shape is not None:
            shape = shape.at(tuple(key.split(".")), profile.model_dump(mode="json"))
        if shape is None:
            return ""
        meaning = " ".join(shape.description.split())
        return f"{meaning} Allowed: {shape.allowed}." if meaning else f"Allowed: {shape.allowed}."


def new_draft(basis: Basis, edits: tuple[str, ...] = ()) -> Draft:
    """A draft that begins with a profile."""
    return Draft(basis, basis.resolved).with_edits(edits)


def tidy(text: str) -> str:
    """An override as it is typed behind `train`: no spaces around its first `=`."""
    name, equals, value = text.strip().partition("=")
    return f"{name.strip()}{equals}{value.strip()}"


def key_of(edit: str) -> str:
    """What an override changes."""
    return edit.removeprefix("~").removeprefix("+").partition("=")[0].strip()


def free_name(folder: Path, name: str) -> str:
    """A name like another one that no run of a folder has: `night-2` after `night`."""
    stem, number = name, 1
    if found := re.fullmatch(r"(.+)-(\d{1,3})", name):
        stem, number = found[1], int(found[2])
    while True:
        number += 1
        if not (folder / f"{stem}-{number}").exists():
            return f"{stem}-{number}"


def name_problem(folder: Path, name: str) -> str:
    """Why a run cannot be called so; "" when it can."""
    if not _NAME.fullmatch(name):
        return f"name {name!r}: needed letters, digits and any of . _ = + -"
    if (folder / name).exists():
        return f"name {name}: a run of this name exists; choose another"
    return ""


def question(draft: Draft, name: str) -> str:
    """What is asked before the training starts."""
    changes = draft.changes()
    told = "; ".join(changes[:6]) + (f"; and {len(changes) - 6} more" if len(changes) > 6 else "")
    return (
        f"Train {name} on {socket.gethostname()}, from step 0? Profile {draft.basis.name}, "
        f"{told or 'nothing changed'}. It goes on without the dashboard and writes to {LOG} of "
        "the run."
    )


def start(app: DashboardApp, draft: Draft, folder: Path, name: str) -> None:
    """Start `codecctl train --profile PROFILE --run NAME ...` beside the other runs.

    Until the training has made its folder, its output stands in `.start-NAME.log` beside it.

    Raises:
        OSError: Nothing can be written there, or the process not started.
    """
    folder = folder.absolute()
    waiting = folder / f".start-{name}.log"
    arguments = ("--profile", draft.basis.name, "--run", name, *draft.basis.overrides, *draft.edits)
    process = start_training(arguments, home=folder.parent, log=waiting)
    tell_failure(app, process, f"{name}: starting", log=_mover(waiting, folder / name))


def _mover(waiting: Path, run: Path) -> Callable[[], Path]:
    """Moves the output into the folder of the run once that is there; says where it stands."""

    def place() -> Path:
        if (run / LOG).exists():
            return run / LOG
        if not (run / "profile.json").exists():
            return waiting
        try:
            waiting.rename(run / LOG)  # what is open stays open: the process writes on
        except OSError:
            return waiting  # the next look tries again
        return run / LOG

    return place

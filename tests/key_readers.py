"""Which code reads which key of a profile, seen while a job is built."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

import pytest
from pydantic import BaseModel

import codecctl
from codecctl import datasets, engine
from codecctl.engine.profile import Profile

OURS = tuple(str(Path(str(module.__file__)).parent) for module in (codecctl, datasets, engine))
WHOLE = ("model_dump", "__dict__")
"""What takes a table as a whole."""


class Readers:
    """The functions that read keys, by the labels of `KeyFact`.

    A function is known by its code object: two modes that let the same one read a key have one
    implementation of it.
    """

    def __init__(self) -> None:
        self._of_keys: dict[str, set[CodeType]] = {}
        self._of_tables: dict[str, set[CodeType]] = {}
        self._tables: dict[int, tuple[BaseModel, set[str]]] = {}

    def of(self, label: str) -> set[CodeType]:
        """What reads a key, itself or with a table that has it.

        Not what takes the whole profile: that writes it down, or changes it for a stage.
        """
        found = set(self._of_keys.get(label, ()))
        for table, codes in self._of_tables.items():
            if table and label.startswith((f"{table}.", f"{table}[")):
                found |= codes
        return found - self._of_tables.get("", set())

    def note(self, table: BaseModel, name: str, value: object) -> None:
        """An attribute of a table of a profile was read."""
        if isinstance(table, Profile):
            self._keep(table, {""})
        _, labels = self._tables.get(id(table), (table, set()))
        code = _reader(sys._getframe(2)) if labels else None
        if name in WHOLE:
            for label in labels if code else ():
                self._of_tables.setdefault(label, set()).add(code)  # type: ignore[arg-type]
        if not labels or name not in type(table).model_fields:
            return
        inner = {f"{label}.{name}" if label else name for label in labels}
        for label in inner if code else ():
            self._of_keys.setdefault(label, set()).add(code)  # type: ignore[arg-type]
        for entry in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(entry, BaseModel):
                kind = object.__getattribute__(entry, "__dict__").get("type")
                self._keep(entry, {*inner, *(f"{label}[{kind}]" for label in inner if kind)})

    def _keep(self, table: BaseModel, labels: set[str]) -> None:
        """Know a table by what it is called; it lives on, as its identity must stay its own."""
        self._tables.setdefault(id(table), (table, set()))[1].update(labels)


@contextmanager
def watched(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note what is read of any profile."""

    def noted(table: BaseModel, name: str) -> object:
        value: object = object.__getattribute__(table, name)
        if name == "__dict__" or not name.startswith("_"):
            readers.note(table, name, value)
        return value

    with monkeypatch.context() as patch:
        patch.setattr(BaseModel, "__getattribute__", noted, raising=False)
        yield


def _reader(frame: FrameType | None) -> CodeType | None:
    """The function of ours that reads; None where a test does."""
    here = str(Path(__file__).parent)
    while frame is not None and not frame.f_code.co_filename.startswith(OURS):
        if frame.f_code.co_filename.startswith(here):
            return None
        frame = frame.f_back
    return frame.f_code if frame is not None else None

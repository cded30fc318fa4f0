"""What stands behind `--profile NAME` on the command line, one argument each.

model=tiny                        an option of a group
trainer.optimizer.config.lr=3e-4  a value, written as in TOML; a bare word is text
+trainer.seed=7                   the same
~trainer.previews                 back to what the profile and its options say
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import tomli

from codecctl.engine.profile.aliases import canonical_key, canonical_value
from codecctl.engine.profile.aliases_lm import LM_ALIASES, meaning
from codecctl.engine.profile.schema import GROUPS
from codecctl.engine.profile.shape import Key, Shape


@dataclass(frozen=True)
class Choose:
    """Take another option of a group."""

    text: str
    group: str
    option: str


@dataclass(frozen=True)
class Assign:
    """Set a value."""

    text: str
    key: Key
    written: str


@dataclass(frozen=True)
class Reset:
    """Undo overlays and earlier assignments at a key and below."""

    text: str
    key: Key


Override = Choose | Assign | Reset

_BARE_POINT = re.compile(r"(?<=\d)\.(?=[\s,\]}]|$)")
"""`3.` of the documents' YAML, which TOML writes as `3.0`."""


def parse_overrides(texts: Sequence[str], *, family: str = "") -> tuple[list[Override], list[str]]:
    """The overrides in the order given, and one line for each text that is none.

    Args:
        texts: As typed.
        family: Of the profile; `lm` brings aliases of its own.
    """
    overrides: list[Override] = []
    problems: list[str] = []
    for text in texts:
        if family == "lm" and (flag := _of_the_language_model(text)):
            overrides += flag
            continue
        override = _parse(text)
        if override is None:
            problems.append(
                f"override '{text}': not understood, needed KEY=VALUE, GROUP=OPTION or ~KEY"
            )
        else:
            overrides.append(override)
    return overrides, problems


def _of_the_language_model(text: str) -> list[Override]:
    """What a flag of its document means, written as NAME=VALUE; nothing where it is none."""
    name, equals, value = text.removeprefix("+").partition("=")
    name = name.strip().replace("-", "_")
    if not equals or name not in LM_ALIASES:
        return []
    return [Assign(text, tuple(key.split(".")), written) for key, written in meaning(name, value)]


def _parse(text: str) -> Override | None:
    if text.startswith("~"):
        key = _key(text[1:])
        return Reset(text, key) if all(key) else None
    name, equals, value = text.removeprefix("+").partition("=")
    name = name.strip()
    group = name.removeprefix("defaults.")
    if equals and group in GROUPS:
        return Choose(text, group, value.strip())
    key = _key(name)
    if not equals or not all(key):
        return None
    return Assign(text, key, canonical_value(".".join(key), value))


def _key(name: str) -> Key:
    return tuple(canonical_key(name.strip()).split("."))


def parse_value(written: str, shape: Shape | None) -> object:
    """The value that an override writes.

    Args:
        written: What follows the equals sign: a TOML value, or a bare word.
        shape: What may stand at the key, if the key is known: where only text may, `2024` is
            text, and where only whole numbers may, `1e5` is one.
    """
    value = _parsed(written)
    if value is None:
        value = _parsed(_BARE_POINT.sub(".0", written))
    if value is None:
        return written
    types = shape.types if shape else frozenset()
    if types == {"string"} and not isinstance(value, str):
        return written
    whole = "integer" in types and "number" not in types
    if isinstance(value, float) and whole and value.is_integer():
        return int(value)
    return value


def _parsed(written: str) -> object | None:
    """What is written as a TOML value, None where it is none."""
    try:
        document = tomli.loads(f"value = {written}")
    except tomli.TOMLDecodeError:
        return None
    return document["value"] if len(document) == 1 else None

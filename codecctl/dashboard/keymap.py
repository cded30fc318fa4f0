"""Keys of one's own: `dashboard-keys.toml`, a line `"runs.pin" = "p"` for each that differs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import tomli
from textual.binding import Binding, BindingType

from codecctl.errors import UsageError

FILE_NAME = "dashboard-keys.toml"


def read_keymap(path: Path, known: set[str]) -> dict[str, str]:
    """The keys in a file by the name of what they do; {} when there is no file.

    Args:
        path: The file.
        known: All names.

    Raises:
        UsageError: The file is no TOML, or names something that has no key, or gives no key.
    """
    try:
        document = tomli.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: found no TOML: {error}; correct or remove it") from error
    for name, key in document.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"needed one of {sorted(known)}"
            raise UsageError(f'{path}: "{name}" is nothing that has a key; {hint}')
        if not isinstance(key, str) or not key:
            raise UsageError(f'{path}: "{name}": found {key!r}, needed a key such as "p"')
    return {name: str(key) for name, key in document.items()}


def binding_names(*bindings: list[BindingType]) -> Iterator[str]:
    """The names of keys that have one."""
    for group in bindings:
        yield from (each.id for each in group if isinstance(each, Binding) and each.id)

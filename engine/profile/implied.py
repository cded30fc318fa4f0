"""The profile that a command line means without naming one."""

from __future__ import annotations

from collections.abc import Sequence

from codecctl.engine.profile.fragment import read_profile
from codecctl.engine.profile.library import Library, search_path
from codecctl.engine.profile.names import same_name

GUIDE = "spectral-vae"
"""What the commands of the trainer guide train."""
_GUIDES_WORDS = (
    "data.eval_dataloader.",
    "data.train_dataloader.",
    "model.autoencoder.",
    "trainer.trainer.",
)
"""Beginnings of keys that only that document writes so."""


def implied_profile(overrides: Sequence[str]) -> tuple[str, str]:
    """The profile, and the reason in words; "" where several would do.

    A network that only one profile has by default means that profile (`model=SEANet_real`), and
    keys as only the trainer guide spells them mean what the guide trains.

    Args:
        overrides: `group=option` and `key=value`, as typed.
    """
    library = Library(search_path())
    for override in overrides:
        group, _, option = override.partition("=")
        if group == "model":
            names = [
                name
                for name, file in library.names().items()
                if same_name(_default_model(read_profile(file).values)) == same_name(option)
            ]
            if len(names) == 1:
                return names[0], f"the profile of {override}"
    for override in overrides:
        if override.startswith(_GUIDES_WORDS):
            return GUIDE, f"the trainer guide writes {override.partition('=')[0]}"
    return "", ""


def _default_model(values: object) -> str:
    defaults = values.get("defaults") if isinstance(values, dict) else None
    return str(defaults.get("model", "")) if isinstance(defaults, dict) else ""

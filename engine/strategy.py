"""Whether a training may be run as `trainer.strategy` says; needs no torch."""

from __future__ import annotations

from importlib.util import find_spec

from codecctl.errors import ProfileError


def require_strategy(strategy: str) -> None:
    """Refuse what cannot be run, before any time is spent.

    Raises:
        ProfileError: It is deepspeed.
    """
    if strategy != "deepspeed":
        return
    found = (
        "whose package is installed, but which codecctl does not drive"
        if find_spec("deepspeed")
        else "whose package is not installed"
    )
    raise ProfileError(
        f"trainer.strategy: found 'deepspeed', {found}; needed: 'fsdp', which keeps weights and "
        "moments in parts with torch alone, or 'ddp'"
    )

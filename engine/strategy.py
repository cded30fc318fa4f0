"""Whether a training may be run as `trainer.strategy` says; needs no torch."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from codecctl.errors import ProfileError

IN_PARTS = ("fsdp", "deepspeed")
"""Strategies by which each process holds but its part of what moves the weights."""
_NEEDED = "0.19"
"""Series of DeepSpeed; another one may keep moments elsewhere."""


def require_strategy(strategy: str) -> None:
    """Refuse what cannot be run, before any time is spent.

    Raises:
        ProfileError: It is deepspeed, whose package is missing or of another series.
    """
    if strategy != "deepspeed":
        return
    found = version("deepspeed") if find_spec("deepspeed") else ""
    if found.startswith(f"{_NEEDED}."):
        return
    what = f"whose package is version {found}" if found else "whose package is not installed"
    raise ProfileError(
        f"trainer.strategy: found 'deepspeed', {what}; needed: version {_NEEDED} "
        "(pip install 'codecctl[deepspeed]'), or 'fsdp', which needs torch alone"
    )

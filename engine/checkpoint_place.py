"""Checkpoints in another place than the run folder, which then leads there; needs no torch."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from codecctl.errors import ProfileError, UsageError

OWN = "checkpoints"
"""Of a run folder; as `trainer.ckpt_dir` it means this folder itself."""


def require_reachable(ckpt_dir: str) -> None:
    """Make the folder that holds the checkpoints of runs, before any time is spent.

    Raises:
        ProfileError: It cannot be made, or not be written.
    """
    if ckpt_dir == OWN:
        return
    folder = _folder(ckpt_dir)
    reason = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
    if not reason and not os.access(folder, os.W_OK | os.X_OK):
        reason = "it may not be written"
    if reason:
        raise ProfileError(
            f"trainer.ckpt_dir: found '{ckpt_dir}', which cannot hold checkpoints: {reason}; "
            f"needed a folder that can be written, or '{OWN}'"
        )


def place_checkpoints(run: Path, ckpt_dir: str) -> None:
    """Let `checkpoints` of a run lead to a folder of its name; nothing where it does already.

    Raises:
        UsageError: Another run of this name has checkpoints there.
    """
    if ckpt_dir == OWN or (run / OWN).is_symlink():
        return
    target = _folder(ckpt_dir) / run.name
    if target.exists() and any(target.iterdir()):
        raise UsageError(
            f"{target}: found checkpoints of another run of this name; choose another one with "
            "--run NAME, or move them away"
        )
    target.mkdir(parents=True, exist_ok=True)
    (run / OWN).rmdir()  # made with the run, and empty
    (run / OWN).symlink_to(target, target_is_directory=True)


def remove_placed(run: Path) -> None:
    """Delete the checkpoints of a run that lie elsewhere."""
    link = run / OWN
    if link.is_symlink():
        shutil.rmtree(link.resolve(), ignore_errors=True)


def _folder(ckpt_dir: str) -> Path:
    return Path(ckpt_dir).expanduser().absolute()

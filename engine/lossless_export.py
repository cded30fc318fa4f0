"""Weights of a trained language model as plain arrays, and the log of its training beside them.

<model_name>.npz            an array for each weight, by its name in the network, and `config`:
                            the profile as JSON, UTF-8 bytes; nothing in it is pickled
<model_name>_training.log   the run's train.log
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from codecctl.engine.networks.transformer import Transformer
from codecctl.engine.profile import profile_from_json
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.errors import CodecctlError, DataError

CONFIG = "config"


@dataclass(frozen=True)
class Exported:
    """What a training left for others."""

    weights: Path
    log: Path


def require_folder(folder: Path) -> None:
    """Make the folder that weights will go to, before a training rather than after it.

    Raises:
        CodecctlError: It cannot be made, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CodecctlError(
            f"trainer.output_dir {folder}: cannot be written: {error.strerror}; choose another "
            "folder with --output_dir DIR"
        ) from error


def export(network: Transformer, profile: LosslessProfile, *, log: Path) -> Exported:
    """Write the weights and a copy of the log to where the profile says; both replace older ones.

    Args:
        network: Trained.
        profile: What it was trained with.
        log: train.log of the run.

    Raises:
        CodecctlError: The disk takes no more.
    """
    folder, name = Path(profile.trainer.output_dir), profile.trainer.model_name
    config = json.dumps(profile.model_dump(mode="json")).encode()
    arrays = {key: value.cpu().numpy() for key, value in network.state_dict().items()}
    arrays[CONFIG] = np.frombuffer(config, np.uint8)
    target = folder / f"{name}.npz"
    beside = folder / f".{name}.npz.tmp-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        beside.replace(target)
        copied = Path(shutil.copyfile(log, folder / f"{name}_training.log"))
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CodecctlError(
            f"{target}: cannot be written: {error.strerror}; free some space, and train --resume "
            "writes it again"
        ) from error
    return Exported(target, copied)


def load_exported(path: Path) -> tuple[LosslessProfile, dict[str, torch.Tensor]]:
    """The profile and the weights of an exported file.

    Raises:
        DataError: It is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        config = json.loads(arrays.pop(CONFIG).tobytes())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: no exported weights: {error}; needed a .npz of train") from error
    profile = profile_from_json(config, label=f"{path}: {CONFIG}")
    if not isinstance(profile, LosslessProfile):
        raise DataError(f"{path}: found weights of mode {profile.mode}, needed lossless")
    return profile, {name: torch.from_numpy(array) for name, array in arrays.items()}

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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from codecctl.engine.networks.transformer import Transformer, TransformerLayout
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.sharding import is_sharded
from codecctl.errors import CodecctlError, DataError, NotFoundError

CONFIG = "config"
LAYOUT = "layout"
"""Apart from the profile, whose keys change with versions: files outlive the version that coded
them, and so does what decodes them."""
USUAL_BLOCK = 1024
_NOT_OURS = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError),
    zipfile.BadZipFile,
)
"""What reading a file of something else ends with; an empty one ends early."""


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


def export(
    network: Transformer, profile: LosslessProfile, *, log: Path, checkpoint: Path | None = None
) -> Exported:
    """Write the weights and a copy of the log to where the profile says; both replace older ones.

    Args:
        network: Trained.
        profile: What it was trained with.
        log: train.log of the run.
        checkpoint: The last one, which has all weights of a network in parts.

    Raises:
        CodecctlError: The disk takes no more.
    """
    folder, name = Path(profile.trainer.output_dir), profile.trainer.model_name
    weights = network.state_dict()
    if is_sharded(network):
        assert checkpoint is not None, "a network in parts has none"
        weights = load_file(checkpoint / "weights.safetensors")
    arrays = {key: value.cpu().numpy() for key, value in weights.items()}
    arrays[LAYOUT] = _as_array(asdict(network.layout))
    arrays[CONFIG] = _as_array(profile.model_dump(mode="json"))
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


def load_exported(path: Path) -> Transformer:
    """The network of an exported file.

    Raises:
        NotFoundError: There is no such file.
        DataError: It is no file of exported weights.
    """
    with _reading(path), np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
        layout = TransformerLayout(**json.loads(arrays.pop(LAYOUT).tobytes()))
        arrays.pop(CONFIG, None)
        network = layout.build()
        network.load_state_dict({name: torch.from_numpy(each) for name, each in arrays.items()})
    return network.eval()


def exported_block(path: Path) -> int:
    """Samples of a channel in a row that the model of an exported file was trained on.

    The usual number where its profile is of a version with other keys.

    Raises:
        NotFoundError: There is no such file.
        DataError: It is no file of exported weights.
    """
    with _reading(path), np.load(path, allow_pickle=False) as file:
        config = json.loads(file[CONFIG].tobytes()) if CONFIG in file.files else None
    data = config.get("data") if isinstance(config, dict) else None
    found = data.get("stereo_blocking_n") if isinstance(data, dict) else None
    return found if isinstance(found, int) and found >= 1 else USUAL_BLOCK


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Errors of reading a file of exported weights as ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: no such file; needed weights that train exported") from error
    except _NOT_OURS as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{path}: no exported weights: {first}; needed a .npz of train") from error


def _as_array(value: object) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)

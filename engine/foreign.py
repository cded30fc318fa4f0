"""Weights of EnCodec models from elsewhere: read without running any code, checked, renamed.

FILE.th           the state dict that the `encodec` package downloads for its 24 kHz model
FILE.safetensors  the same tensors; with the metadata of `codecctl export`, of any size
FOLDER            config.json and model.safetensors of `transformers`' EncodecModel
"""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from codecctl.engine.foreign_config import overrides_of_config, overrides_of_package
from codecctl.engine.networks.encodec_state import autoencoder_state
from codecctl.engine.quantizers import encodec_state as codebooks
from codecctl.engine.rundir import read_json
from codecctl.engine.trained import read_tensors
from codecctl.errors import DataError, NotFoundError

_CLOSE = 1e-3
"""Between an entry and the quotient of its averages, relative to the largest entry."""


@dataclass(frozen=True)
class Foreign:
    """A codec from elsewhere."""

    state: dict[str, Tensor]
    """For a `CodecNetwork`."""
    overrides: tuple[str, ...]
    """That make the shipped profile `mono` describe it."""
    kind: str
    """`encodec` or `transformers`."""
    notes: tuple[str, ...]
    """What was not as it should be, in sentences."""


def read_foreign(path: Path) -> Foreign:
    """The codec in a file or folder.

    Raises:
        NotFoundError: There is nothing.
        DataError: It holds something else, or sizes that this version does not have.
    """
    if not path.exists():
        raise NotFoundError(f"{path}: no file or folder of this name")
    config: Mapping[str, object] = {}
    if path.is_dir():
        config = _config(path / "config.json")
        path = path / "model.safetensors"
        if not path.is_file():
            raise NotFoundError(f"{path}: found no such file beside config.json")
    tensors = _finite(
        read_tensors(path) if path.suffix == ".safetensors" else _unpacked(path), path
    )
    names = " ".join(tensors)
    if ".norm.norm." in names or ".norm.weight" in names:
        raise DataError(
            f"{path}: found layers with time_group_norm (the 48 kHz model), needed weight_norm: "
            "this version has no such network"
        )
    for kind, prefix in (("encodec", codebooks.PACKAGE), ("transformers", codebooks.TRANSFORMERS)):
        count = codebooks.count_codebooks(tensors, prefix=prefix)
        if count:
            given = _given(path, config, kind)
            return _renamed(tensors, path, kind=kind, prefix=prefix, count=count, given=given)
    if any(name.startswith("autoencoder.") for name in tensors):
        raise DataError(
            f"{path}: found weights under the names of codecctl; start from the run that they "
            "are of: codecctl train --from RUN"
        )
    raise DataError(
        f"{path}: found no codebooks of EnCodec ({codebooks.PACKAGE.format(stage=0)}embed), needed "
        "the state dict of its 24 kHz model, or a folder of transformers' EncodecModel"
    )


def _given(path: Path, config: Mapping[str, object], kind: str) -> tuple[str, ...]:
    """Overrides that the configuration beside the weights asks for."""
    if config:
        return overrides_of_config(config, label=str(path.with_name("config.json")))
    if kind == "transformers":
        raise DataError(
            f"{path}: found weights of transformers without their config.json; give the folder "
            "that holds both"
        )
    written = _metadata(path).get("encodec", "")
    # Without: the 24 kHz model, which is the generator of the profile but takes audio as it is.
    return overrides_of_package(written, label=str(path)) if written else ("model.normalize=none",)


def _renamed(
    tensors: Mapping[str, Tensor],
    path: Path,
    *,
    kind: str,
    prefix: str,
    count: int,
    given: tuple[str, ...],
) -> Foreign:
    for name in tensors:
        if not name.startswith(("encoder.", "decoder.")) and not codebooks.is_codebook(
            name, prefix=prefix
        ):
            raise DataError(f"{path}: found {name}, which no EncodecModel has")
    try:
        books = codebooks.quantizer_state(tensors, num_codebooks=count, prefix=prefix)
    except (KeyError, RuntimeError) as error:
        raise DataError(f"{path}: codebooks of one kind and size needed, found: {error}") from error
    if books["codebooks"].dim() != 3:
        raise DataError(f"{path}: found codebooks of {books['codebooks'].dim() - 1} dimensions")
    notes = _mended(books)
    state = {f"autoencoder.{name}": part for name, part in autoencoder_state(tensors).items()}
    state |= {f"quantizer.{name}": part for name, part in books.items()}
    size = books["codebooks"].shape[1]
    sizes = (f"model.quantizer.num_codebooks={count}", f"model.quantizer.codebook_size={size}")
    return Foreign(state=state, overrides=(*given, *sizes), kind=kind, notes=notes)


def _mended(books: dict[str, Tensor]) -> tuple[str, ...]:
    """Give averages that are not those of the entries new ones, in place; says so.

    The first update of a training divides the sums by the counts: averages of nothing would
    replace every entry.
    """
    entries, counts = books["codebooks"], books["counts"]
    if counts.shape == entries.shape[:2] and books["sums"].shape == entries.shape:
        quotient = books["sums"] / counts.clamp(min=1e-12)[..., None]
        used = counts > 1e-2 * counts.mean(1, keepdim=True)
        apart = (quotient - entries).abs().amax(2)[used]
        if bool(used.any()) and float(apart.max()) <= _CLOSE * float(entries.abs().max()):
            return ()
    books["counts"] = torch.ones(entries.shape[:2])
    books["sums"] = entries.clone()
    return (
        "codebooks: found averages that do not belong to the entries; each entry starts with an "
        "equal count",
    )


def _finite(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    checked = {}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise DataError(f"{path}: {name}: found {tensor.dtype}, needed floating-point numbers")
        if not bool(torch.isfinite(tensor).all()):
            raise DataError(f"{path}: {name}: found values that are not finite")
        checked[name] = tensor.float()
    return checked


def _unpacked(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of torch; nothing in it is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how it was pickled: what loads is checked
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise DataError(
            f"{path}: found no state dict that loads without running code: {reason}; needed the "
            "state dict of EnCodec as torch or safetensors wrote it"
        ) from error
    if not isinstance(found, dict) or not found:
        raise DataError(f"{path}: found {type(found).__name__}, needed a state dict")
    odd = [
        key for key, value in found.items() if not (isinstance(key, str) and torch.is_tensor(value))
    ]
    if odd:
        raise DataError(f"{path}: {odd[0]}: found no tensor, needed a state dict of tensors only")
    return found


def _config(path: Path) -> dict[str, object]:
    config = read_json(path)
    if config.get("model_type") != "encodec":
        raise DataError(
            f'{path}: found model_type {json.dumps(config.get("model_type"))}, needed "encodec": '
            "a folder of transformers' EncodecModel"
        )
    return config


def _metadata(path: Path) -> dict[str, str]:
    if path.suffix != ".safetensors":
        return {}
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})

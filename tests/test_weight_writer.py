"""Weights as safetensors, against the writer and the reader of the package itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from codecctl.engine.checked_file import CheckedFile
from codecctl.engine.weight_files import read_places
from codecctl.engine.weight_writer import TYPES, weights_writer

WIDTHS = (torch.float64, torch.float32, torch.bfloat16, torch.bool)


def written(path: Path, weights: dict[str, Tensor]) -> Path:
    with CheckedFile(path) as file:
        weights_writer(weights)(file)
        file.sync()
    return path


def test_the_bytes_are_those_of_the_package(tmp_path: Path) -> None:
    weights = {
        f"layer.{index}.{'weight' if dtype.is_floating_point else 'mask'}": (
            torch.randn(3, index + 1).to(dtype)
        )
        for index, dtype in enumerate((*WIDTHS, *WIDTHS))
    }
    weights |= {"größe": torch.tensor(3.0), "none": torch.zeros(0, 4)}
    assert written(tmp_path / "a", weights).read_bytes() == save(weights)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_numbers_of_every_type_come_back(tmp_path: Path, dtype: torch.dtype) -> None:
    weights = {"a": (9 * torch.randn(5, 3)).to(dtype), "b": torch.ones((), dtype=dtype)}
    found = load_file(written(tmp_path / "a", weights))
    assert found.keys() == weights.keys()
    for name, tensor in weights.items():
        assert found[name].dtype == dtype
        assert torch.equal(found[name], tensor)


def test_views_and_tied_weights_are_written_whole(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.randn(4, 6))
    weights = {"tied": weight, "weight": weight, "turned": weight.T, "part": weight[1:3, ::2]}
    found = load_file(written(tmp_path / "a", weights))
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())


def test_the_reader_without_torch_finds_them(tmp_path: Path) -> None:
    weights = {"b": torch.ones(2, 3), "a": torch.ones(4, dtype=torch.int64)}
    places = read_places(written(tmp_path / "a", weights))
    assert {name: place.shape for name, place in places.items()} == {"a": (4,), "b": (2, 3)}

"""Weights read without torch, against safetensors' own writer and values by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from codecctl.engine.weight_files import by_layer, compare_weights, read_places
from codecctl.errors import CodecctlError


def write(path: Path, **tensors: torch.Tensor) -> Path:
    save_file(dict(tensors), path, metadata={"schema": "1"})
    return path


def test_a_change_has_the_norm_of_its_difference(tmp_path: Path) -> None:
    old = write(tmp_path / "a", **{"net.0.w": torch.tensor([[3.0, 4.0]]), "net.1.b": torch.ones(4)})
    new = write(tmp_path / "b", **{"net.0.w": torch.tensor([[3.0, 5.0]]), "net.1.b": torch.ones(4)})
    first, second = sorted(compare_weights(old, new), key=lambda each: each.name)
    assert (first.norm, first.change, first.relative) == (5.0, 1.0, 0.2)
    assert (second.norm, second.change, second.relative) == (2.0, 0.0, 0.0)
    assert by_layer([first, second]) == {"net.0": (5.0, 1.0, 2), "net.1": (2.0, 0.0, 4)}
    assert by_layer([first, second], depth=1) == {"net": (math.sqrt(29), 1.0, 6)}


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8]
)
def test_every_type_is_read_as_torch_reads_it(tmp_path: Path, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.rand(7, 5, generator=generator).mul(9).to(dtype) for _ in range(2))
    (found,) = compare_weights(write(tmp_path / "a", w=a), write(tmp_path / "b", w=b))
    assert found.norm == pytest.approx(a.double().norm().item())
    assert found.change == pytest.approx((b.double() - a.double()).norm().item())
    assert found.first is not None
    assert (found.first.shape, found.first.count) == ((7, 5), 35)


def test_tensors_larger_than_a_piece_are_summed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecctl.engine.weight_files._PIECE", 3)
    (found,) = compare_weights(
        write(tmp_path / "a", w=torch.zeros(10)), write(tmp_path / "b", w=torch.ones(10))
    )
    assert found.change == pytest.approx(math.sqrt(10))
    assert found.relative == math.inf


def test_tensors_that_are_missing_new_or_of_another_shape_are_named(tmp_path: Path) -> None:
    old = write(tmp_path / "a", gone=torch.ones(1), w=torch.ones(2))
    new = write(tmp_path / "b", added=torch.ones(1), w=torch.ones(3))
    found = {each.name: each for each in compare_weights(old, new)}
    assert found["gone"].second is None
    assert found["added"].first is None
    assert all(math.isnan(each.change) for each in found.values())
    assert by_layer(list(found.values())) == {}


def test_a_file_that_is_none_or_torn_is_one_clear_error(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", w=torch.ones(100)).read_bytes()
    for index, content in enumerate(
        (b"", b"no", b"\xff" * 64, whole[:40], whole[:-1], b"\x02" + b"\0" * 7 + b"[]")
    ):
        path = tmp_path / str(index)
        path.write_bytes(content)
        with pytest.raises(CodecctlError, match=r"no whole safetensors file: .*; use another"):
            read_places(path)
    with pytest.raises(CodecctlError, match="no whole safetensors file"):
        read_places(tmp_path / "missing")


def test_an_empty_tensor_has_no_norm(tmp_path: Path) -> None:
    (found,) = compare_weights(
        write(tmp_path / "a", w=torch.ones(0)), write(tmp_path / "b", w=torch.ones(0))
    )
    assert (found.norm, found.change, found.relative) == (0.0, 0.0, 0.0)

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from codecctl.engine import device_choice
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import CodecctlError, ProfileError


def _runtime() -> FabricRuntime:
    return FabricRuntime(0)


def test_one_process_on_the_cpu() -> None:
    runtime = _runtime()
    assert runtime.device.type == "cpu"
    assert (runtime.world_size, runtime.rank) == (1, 0)
    assert runtime.device_name.startswith("CPU, ")


def test_gradients_through_the_wrapper_are_those_of_torch() -> None:
    torch.manual_seed(0)
    module = nn.Linear(3, 1)
    audio = torch.randn(5, 3)
    module(audio).square().mean().backward()
    assert module.weight.grad is not None
    expected = module.weight.grad.clone()
    module.zero_grad()

    runtime = _runtime()
    wrapped, _ = runtime.setup(module, torch.optim.SGD(module.parameters(), lr=0.1))
    with runtime.autocast():
        loss = wrapped(audio).square().mean()
    runtime.backward(loss)
    assert torch.equal(module.weight.grad, expected)


@pytest.mark.parametrize(("max_norm", "left"), [(0.0, 5.0), (1.0, 1.0), (9.0, 5.0)])
def test_clipping_returns_the_norm_found_and_limits_what_is_left(
    max_norm: float, left: float
) -> None:
    runtime = _runtime()
    module, optimizer = runtime.setup(
        inner := nn.Linear(2, 1, bias=False), torch.optim.SGD(inner.parameters(), lr=0.1)
    )
    inner.weight.grad = torch.tensor([[3.0, 4.0]])

    assert runtime.clip(module, optimizer, max_norm).item() == pytest.approx(5.0)
    assert inner.weight.grad.norm().item() == pytest.approx(left, rel=1e-4)


def test_an_all_reduce_of_one_rank_changes_nothing() -> None:
    tensor = torch.ones(3)
    _runtime().all_reduce_(tensor)
    assert torch.equal(tensor, torch.ones(3))


@pytest.mark.parametrize(
    ("precision", "half"),
    [("16-mixed", torch.float16), ("bf16-mixed", torch.bfloat16), ("32-true", torch.float32)],
)
def test_networks_run_in_the_precision_asked_for_and_only_float16_scales(
    precision: str, half: torch.dtype
) -> None:
    runtime = FabricRuntime(0, precision=precision)
    module = nn.Conv1d(1, 1, 3)
    wrapped, _ = runtime.setup(module, torch.optim.SGD(module.parameters(), lr=0.1))
    seen: list[torch.dtype] = []
    module.register_forward_pre_hook(lambda _, given: seen.append(given[0].dtype))
    with runtime.autocast():
        assert wrapped(torch.randn(1, 1, 8)).dtype == half
    assert seen == [torch.float32]  # what enters is not rounded
    assert module.weight.dtype == torch.float32
    assert runtime.scales_losses == (precision == "16-mixed")


def test_a_wrong_precision_or_number_of_gpus_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"trainer.precision: found 8; allowed: 32-true"):
        FabricRuntime(0, precision="8")
    with pytest.raises(
        ProfileError, match=r"trainer.num_gpus: found 2; this is one process, needed"
    ):
        FabricRuntime(2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is at hand")
def test_a_gpu_that_was_asked_for_or_allocated_but_fails_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert FabricRuntime("auto").device.type == "cpu"
    driver = tmp_path / "version"
    monkeypatch.setattr(device_choice, "_DRIVER_FILE", driver)
    with pytest.raises(ProfileError, match=r"found 1, this machine has no GPU .*0 trains on the C"):
        FabricRuntime(1)
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.57.02  Tue\n")
    with pytest.raises(CodecctlError, match=r"GPU: torch finds none .driver 470.*num_gpus=0"):
        FabricRuntime(1)
    monkeypatch.setenv("SLURM_JOB_GPUS", "0")
    with pytest.raises(CodecctlError, match=r"GPU: torch finds none .*needed: a driver for CUDA"):
        FabricRuntime("auto")

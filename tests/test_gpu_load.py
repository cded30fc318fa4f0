"""Load of GPUs, from a stand-in for the driver's command; the real one where there is a GPU."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from codecctl.engine.gpu_load import GpuLoad, gpu_load

ANSWER = "GPU-bb, 87, 1000, 61, 250.5\\nGPU-aa, 12, 500, [N/A], 70\\nGPU-cc, 1, 2, 3, 4"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in place of nvidia-smi; it notes what it is asked."""
    path = tmp_path / "nvidia-smi"
    path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nprintf "{ANSWER}\\n"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return path


def answered(load: GpuLoad) -> Mapping[str, float]:
    """Look until an answer is there, or for five seconds."""
    values = load.look()
    end = time.monotonic() + 5
    while not values and time.monotonic() < end:
        time.sleep(0.01)
        values = load.look()
    load.close()
    return values


def test_values_belong_to_the_gpus_that_the_process_sees_in_its_order(command: Path) -> None:
    assert answered(GpuLoad(["aa", "bb"])) == {
        "gpu0_load_percent": 12,
        "gpu0_used_mib": 500,
        "gpu0_watts": 70,  # this one does not tell its heat
        "gpu1_load_percent": 87,
        "gpu1_used_mib": 1000,
        "gpu1_celsius": 61,
        "gpu1_watts": 250.5,
    }
    wanted = "--query-gpu=uuid,utilization.gpu,memory.used,temperature.gpu,power.draw"
    asked = (command.parent / "asked").read_text().splitlines()
    assert set(asked) == {f"{wanted} --format=csv,noheader,nounits"}


def test_a_look_does_not_wait_and_asks_nothing_twice(command: Path) -> None:
    command.write_text(f"#!/bin/sh\necho asked >> {command.parent}/asked\nexec sleep 30\n")
    load = GpuLoad(["aa"])
    begun = time.monotonic()
    assert [dict(load.look()) for _ in range(5)] == [{}] * 5
    load.close()
    assert time.monotonic() - begun < 5
    asked = command.parent / "asked"
    assert not asked.exists() or asked.read_text().count("asked") == 1


def test_a_driver_that_fails_or_is_not_there_gives_no_values(
    command: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.write_text("#!/bin/sh\necho GPU-aa, 1, 2, 3, 4\nexit 9\n")
    load = GpuLoad(["aa"])
    for _ in range(20):
        assert load.look() == {}
        time.sleep(0.01)
    load.close()
    monkeypatch.setenv("PATH", str(command.parent / "empty"))
    assert GpuLoad(["aa"]).look() == {}


def test_on_a_processor_nobody_is_asked(command: Path) -> None:
    load = gpu_load(torch.device("cpu"))
    assert load.look() == load.look() == {}
    assert not (command.parent / "asked").exists()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_gpu_tells_its_load() -> None:
    values = answered(gpu_load(torch.device("cuda", 0)))
    assert 0 <= values["gpu0_load_percent"] <= 100
    assert values["gpu0_used_mib"] > 0

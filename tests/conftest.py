"""One torch thread, no tracker, no run of the user's in reach of a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ["WANDB_MODE"] = "disabled"

SHARED_AUDIO = Path(__file__).resolve().parents[2] / "shared" / "audio"


@pytest.fixture(autouse=True)
def _one_torch_thread() -> None:
    """Small networks are slower on two threads than on one."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODECCTL_HOME", raising=False)


@pytest.fixture
def shared_audio() -> Path:
    """The folder of real recordings beside the checkout."""
    if not SHARED_AUDIO.is_dir():
        pytest.skip("real recordings (shared/audio) are not beside this checkout")
    return SHARED_AUDIO

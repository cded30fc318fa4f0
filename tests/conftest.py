"""One torch thread, no tracker, no run of the user's in reach of a test."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import numpy as np

# A job in the background ignores these, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ["WANDB_MODE"] = "disabled"

SHARED_AUDIO = Path(__file__).resolve().parents[2] / "shared" / "audio"


def pytest_collection_finish() -> None:
    """Leave what was imported out of every search for garbage: it is never garbage.

    A search looks at all objects there are, 0.6 s once PyTorch is imported, and pages of the
    dashboard make enough of them for one every few seconds; so they are also searched for less
    often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000)


@pytest.fixture(scope="session", autouse=True)
def _commands_made_once() -> Iterator[None]:
    """Typer makes all commands anew for every call of one, which takes longer than most do."""
    from typer.main import get_command

    once = cache(get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.main.get_command", once)
        patch.setattr("typer.testing._get_command", once)
        yield


@pytest.fixture(autouse=True)
def _one_torch_thread(request: pytest.FixtureRequest) -> None:
    """Small networks are slower on two threads than on one; draws do not depend on the order."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        # Where no device is up, `torch.manual_seed` keeps a stack trace for each kind of device.
        on_device = request.node.get_closest_marker("gpu") is not None
        (torch.manual_seed if on_device else torch.default_generator.manual_seed)(0)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Commands that run inside a test take Ctrl-C over; the next test has it back."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODECCTL_HOME", raising=False)


@pytest.fixture(autouse=True)
def _idle_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot goes on as soon as an application has nothing left to do."""
    import sys

    if "textual.pilot" in sys.modules:
        from .pilot_waits import wait_for_pages, wait_until_idle

        monkeypatch.setattr("textual.app.wait_for_idle", wait_until_idle)
        monkeypatch.setattr("textual.pilot.wait_for_idle", wait_until_idle)
        monkeypatch.setattr("textual.pilot.Pilot._wait_for_screen", wait_for_pages)


@pytest.fixture
def shared_audio() -> Path:
    """The folder of real recordings beside the checkout."""
    if not SHARED_AUDIO.is_dir():
        pytest.skip("real recordings (shared/audio) are not beside this checkout")
    return SHARED_AUDIO


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a store below `tmp_path/stores` and returns its folder.

    It takes the audio of each recording by name, (C, T) float32 or, for the dtype `pcm`, int32;
    `Beach.1` is of scene Beach.
    """

    def make(
        audio: Mapping[str, np.ndarray],
        *,
        name: str = "scenes",
        sample_rate: int = 8000,
        source_rate: int = 0,
        dtype: str = "int16",
        source_folder: str = "/data/field recordings",
        bits: int = 24,
        metadata: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Path:
        from codecctl.datasets.store import (
            Corpus,
            RecordingWriter,
            SourceFacts,
            pcm_dtype,
            write_index,
        )

        folder = tmp_path / "stores" / name
        rows = []
        for recording, samples in audio.items():
            channels, frames = samples.shape
            scene, _, take = recording.rpartition(".")
            with RecordingWriter(
                folder,
                name=recording,
                scene=scene,
                take=take,
                array="em32" if channels == 32 else f"unknown-{channels}ch",
                channels=channels,
                frames=frames,
                sample_rate=sample_rate,
                dtype=pcm_dtype(bits) if dtype == "pcm" else dtype,
                source=SourceFacts(
                    f"{recording}.wav", source_rate or sample_rate, bits, frames, 0, 0.0
                ),
                corpus="corpus",
                labels=[str(channel + 1) for channel in range(channels)],
            ) as writer:
                writer.write(samples)
                rows.append(writer.commit(source_hash=f"sha256:{recording}"))
        write_index(
            folder,
            name=name,
            sample_rate=sample_rate,
            dtype=dtype,
            recordings=rows,
            corpora=[Corpus("corpus", source_folder)],
            metadata=metadata,
        )
        return folder

    return make

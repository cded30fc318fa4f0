from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from codecctl.datasets.store import RecordingWriter, SourceFacts, Store, write_index
from codecctl.engine.environment import describe_environment


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "s"
    with RecordingWriter(
        folder,
        name="1",
        scene="",
        take="1",
        array="unknown-1ch",
        channels=1,
        frames=100,
        sample_rate=50,
        dtype="int16",
        source=SourceFacts("1.wav", 50, 16, 100, 1, 0.0, "sha256:00"),
        labels=["0"],
    ) as writer:
        writer.write(np.ones((1, 100), np.float32))
        info = writer.commit()
    write_index(folder, name="s", sample_rate=50, dtype="int16", recordings=[info])
    return Store.open(folder)


def test_it_names_versions_command_device_and_store(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    found = describe_environment(
        ["codecctl", "train"],
        store,
        sides={"training": ("1",), "validation": ()},
        device=torch.device("cpu"),
        device_name="a CPU",
    )

    assert found["argv"] == ["codecctl", "train"]
    assert found["job"] == {"SLURM_JOB_ID": "77"}
    assert "SECRET_TOKEN" not in str(found)
    described, device = found["store"], found["device"]
    assert isinstance(described, dict)
    assert isinstance(device, dict)
    assert (described["fingerprint"], described["recordings"]) == (store.fingerprint, 1)
    assert described["seconds"] == 2.0
    assert found["sides"] == {
        "training": {
            "recordings": 1,
            "hours": 2 / 3600,
            "channel_hours": 2 / 3600,
            "scenes": {"": 1},
        },
        "validation": {"recordings": 0, "hours": 0.0, "channel_hours": 0.0, "scenes": {}},
    }
    assert (device["name"], device["torch"]) == ("a CPU", torch.__version__)


def test_every_distribution_has_the_hash_of_its_record(store: Store) -> None:
    found = describe_environment([], store, sides={}, device=torch.device("cpu"), device_name="")
    distributions = found["distributions"]
    assert isinstance(distributions, dict)
    record = importlib.metadata.distribution("numpy").read_text("RECORD")
    assert record is not None
    assert distributions["numpy"] == {
        "version": np.__version__,
        "record": f"sha256:{hashlib.sha256(record.encode()).hexdigest()}",
    }

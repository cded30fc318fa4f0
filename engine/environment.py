"""environment.json: what someone needs to know to repeat a run or to explain it."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

import torch

from codecctl import __version__
from codecctl.datasets.store import AudioSource

SCHEMA = 1
_JOB_VARIABLES = (
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_RESTART_COUNT",
    "SLURM_JOB_NODELIST",
    "SLURM_JOB_PARTITION",
    "SLURM_JOB_GPUS",
    "SLURM_CPUS_PER_TASK",
    "SLURM_MEM_PER_NODE",
    "CUDA_VISIBLE_DEVICES",
)
_GIT_SECONDS = 2.0


def describe_environment(
    argv: Sequence[str],
    store: AudioSource,
    *,
    sides: Mapping[str, Sequence[str]],
    device: torch.device,
    device_name: str,
) -> dict[str, object]:
    """Versions, revision, command line, host, devices, job and store.

    Args:
        argv: The command line.
        store: What the run trains on.
        sides: Names of recordings that train, validate and are kept for tests.
        device: Where the networks live.
        device_name: The device in words.
    """
    return {
        "schema": SCHEMA,
        "time": time.time(),
        "codecctl": __version__,
        "revision": _revision(Path(__file__).resolve().parent),
        "argv": list(argv),
        "folder": str(Path.cwd()),
        "host": socket.gethostname(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "processors_allowed": len(os.sched_getaffinity(0)),
        "device": _device(device, device_name),
        "job": {name: os.environ[name] for name in _JOB_VARIABLES if name in os.environ},
        "store": _store(store),
        "sides": {side: _count(store, names) for side, names in sides.items()},
        "distributions": _installed(),
    }


def _device(device: torch.device, name: str) -> dict[str, object]:
    return {
        "type": device.type,
        "name": name,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
    }


def _store(store: AudioSource) -> dict[str, object]:
    return {
        "path": str(store.path.resolve()),
        "name": store.name,
        "fingerprint": store.fingerprint,
        "sample_rate": store.sample_rate,
        "dtype": store.dtype,
        "recordings": len(store.recordings),
        "seconds": sum(info.seconds for info in store.recordings),
    }


def _count(store: AudioSource, names: Sequence[str]) -> dict[str, object]:
    """Recordings, hours and scenes of a side; an hour of 32 channels is 32 channel-hours."""
    infos = [info for info in store.recordings if info.name in set(names)]
    return {
        "recordings": len(infos),
        "hours": sum(info.seconds for info in infos) / 3600,
        "channel_hours": sum(info.seconds * info.channels for info in infos) / 3600,
        "scenes": dict(sorted(Counter(info.scene for info in infos).items())),
    }


def _installed() -> dict[str, dict[str, str]]:
    """Version and hash of the RECORD file of every installed distribution, by name.

    RECORD lists the hash of each installed file, so that equal hashes mean equal code.
    """
    found = {}
    for distribution in distributions():
        record = distribution.read_text("RECORD") or ""
        about = distribution.metadata  # read anew each time that it is asked for
        found[about["Name"] or "unknown"] = {
            "version": about["Version"],
            "record": f"sha256:{hashlib.sha256(record.encode()).hexdigest()}" if record else "",
        }
    return dict(sorted(found.items()))


def _revision(folder: Path) -> str:
    """The revision of the checkout that runs, with "+" when it was changed; "" without one."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

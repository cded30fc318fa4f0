"""Weights from elsewhere as a run: what export, previews and `train --from` read.

    profile.json   the profile `mono` with the sizes of the weights; `imported` says from where
    state.json     finished, step 0
    events.jsonl   imported
    checkpoints/step-000000000/weights.safetensors, meta.json; `best` and `last` name it

There is no state.pt, as nothing was trained here: such a run is a beginning and never resumed.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from codecctl.engine.build import build_networks
from codecctl.engine.checkpoint_files import set_pointer, write_checkpoint
from codecctl.engine.foreign import Foreign
from codecctl.engine.lease import RunState
from codecctl.engine.profile import Resolved, load_profile, profile_file, profile_hash
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.rundir import RunDirectory, step_name
from codecctl.engine.trained import load_strictly, refuse_misfits
from codecctl.engine.weight_writer import weights_writer
from codecctl.errors import DataError, ProfileError

PROFILE = "mono"


def resolve_foreign(foreign: Foreign, *, label: str) -> Resolved:
    """The profile that describes weights from elsewhere.

    Raises:
        DataError: The sizes contradict each other, or the weights are not of them.
    """
    try:
        resolved = load_profile(PROFILE, foreign.overrides, search=(PACKAGED,))
    except ProfileError as error:
        raise DataError(f"{label}: {error.problems[0]}") from error
    with torch.device("meta"):  # shapes without memory: a file may claim any size
        network, _ = build_networks(resolved.profile)
    refuse_misfits(network, foreign.state, label=label)
    return resolved


def built(foreign: Foreign, resolved: Resolved, *, label: str) -> CodecNetwork:
    """The network of weights from elsewhere.

    Raises:
        DataError: A weight is missing or has another shape.
    """
    network, _ = build_networks(resolved.profile)
    load_strictly(network, foreign.state, label=label)
    return network.eval()


def write_imported(
    path: Path, foreign: Foreign, resolved: Resolved, *, source: Path, argv: Sequence[str]
) -> Path:
    """Make the folder of a run that holds weights from elsewhere; whole or not at all.

    Returns:
        The folder of its checkpoint.

    Raises:
        UsageError: The name is taken.
        CodecctlError: The disk does not take it.
    """
    network = built(foreign, resolved, label=str(source))
    facts = {"from": str(source.resolve()), "kind": foreign.kind, "notes": list(foreign.notes)}
    run = RunDirectory.create(path)
    try:
        checkpoint = _write_checkpoint(run.path / "checkpoints", network, resolved)
        run.event("imported", 0, f"from {source.name}", argv=list(argv), imported=facts)
        now, host = time.time(), socket.gethostname()
        state = RunState("finished", heartbeat=now, started=now, host=host, message="imported")
        run.write_json("state.json", asdict(state))
        # The last file: a folder without it is no run.
        run.write_json("profile.json", profile_file(PROFILE, resolved) | {"imported": facts})
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    finally:
        run.close()
    return checkpoint


def _write_checkpoint(folder: Path, network: CodecNetwork, resolved: Resolved) -> Path:
    meta = {
        "step": 0,
        "epoch": 0,
        "stage": "",
        "mode": resolved.profile.mode,
        "metrics": {},
        "metrics_of": "weights.safetensors",
        "profile_hash": profile_hash(resolved.profile),
        "store_fingerprint": "",
    }
    files = {"weights.safetensors": weights_writer(network.state_dict())}
    checkpoint = write_checkpoint(folder, step_name(0), files=files, meta=meta)
    for pointer in ("last", "best"):
        set_pointer(folder, pointer, checkpoint.name)
    return checkpoint

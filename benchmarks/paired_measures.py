"""Whether the codec of a run shares content in its first codes and tells capsules by its second.

    .venv/bin/python benchmarks/paired_measures.py RUN STORE [--items 16] [--checkpoint NAME]

Codes windows of the run's validation recordings, all 32 capsules of an em32, and prints the
measures of `engine.recipes.paired_measures`. The windows depend on the store and the profile's
val_seed alone, so that a paired and a mono run can be compared.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from codecctl.datasets.batch import Item
from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.datasets.rated import at_rate
from codecctl.datasets.store import AudioSource, Store
from codecctl.datasets.validation import batches, fixed_items
from codecctl.datasets.windows import Window
from codecctl.engine.build import build_networks
from codecctl.engine.profile import Profile, profile_from_json
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.paired_measures import measure_lines, measure_paired
from codecctl.engine.rundir import list_checkpoints
from codecctl.engine.sides import unchecked_sides


def main() -> None:
    """Print the measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--items", type=int, default=16)
    parser.add_argument("--checkpoint", default="", help="step-... ; the last one if not given")
    given = parser.parse_args()
    stored = json.loads((given.run / "profile.json").read_text(encoding="utf-8"))
    profile = profile_from_json(stored["profile"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint = given.checkpoint or list_checkpoints(given.run)[-1].name
    network = load_network(profile, given.run / "checkpoints" / checkpoint).to(device)
    print(f"{given.run.name}, {checkpoint}, on {device}")
    with Store.open(given.store) as store:
        source = (
            store if store.sample_rate == profile.data.rate else at_rate(store, profile.data.rate)
        )
        audio = whole_arrays(source, profile, count=given.items)
        for line in measure_lines(measure_paired(network, (part.to(device) for part in audio))):
            print(line)


def load_network(profile: Profile, checkpoint: Path) -> CodecNetwork:
    """The codec that a checkpoint holds; of averaged weights, if it has any."""
    network, _ = build_networks(profile)
    averaged = checkpoint / "ema.safetensors"
    weights = averaged if averaged.is_file() else checkpoint / "weights.safetensors"
    network.load_state_dict(load_file(weights))
    return network.eval()


def items_of(store: AudioSource, profile: Profile, *, count: int) -> tuple[Item, ...]:
    """Validation windows of all capsules, recordings in turn."""
    data = profile.data
    names = unchecked_sides(data, store).validation
    window = Window(_frames(profile), NUM_CAPSULES, policy="all", silence_db=data.silence_db)
    return fixed_items(store, names, window=window, count=count, seed=data.val_seed)


def whole_arrays(store: AudioSource, profile: Profile, *, count: int) -> Iterator[Tensor]:
    """Items of all capsules, one at a time (1, 32, T)."""
    items = items_of(store, profile, count=count)
    for batch in batches(store, items, batch_size=1, frames=_frames(profile)):
        yield torch.from_numpy(batch.samples.copy())


def _frames(profile: Profile) -> int:
    return round(profile.data.segment_seconds * profile.data.rate)


if __name__ == "__main__":
    main()

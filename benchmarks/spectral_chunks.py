"""Peak memory and error of `model.spectral_chunk_frames`, at the documented size.

    python -m benchmarks.spectral_chunks [--seconds 10 60 240] [--frames 0 512]

Each measurement is a process of its own: white noise of one channel at 44.1 kHz goes through the
untrained network of `spectral-vae`, there and back; or forward and backward, as an update does.
Prints a table; the error is that against the audio that comes out without pieces.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

RATE = 44_100
CHANNELS = (
    "data.capsules.count=1",
    "data.capsules.policy=random_one",
    "model.generator.channels=1",
)


def main() -> None:
    """Measure every length with every size of pieces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60, 240])
    parser.add_argument("--train-seconds", type=float, nargs="+", default=[6, 24])
    parser.add_argument("--frames", type=int, nargs="+", default=[0, 512])
    parser.add_argument("--one", nargs=3, metavar=("TASK", "SECONDS", "FRAMES"))
    given = parser.parse_args()
    if given.one:
        print(_one(given.one[0], float(given.one[1]), int(given.one[2])))
        return
    print("| task | seconds | frames in a piece | peak memory above the start | s, CPU |")
    print("|---|---|---|---|---|")
    for task, lengths in (("reconstruct", given.seconds), ("train", given.train_seconds)):
        for seconds in lengths:
            for frames in given.frames:
                print(_in_process(task, seconds, frames), flush=True)
    print(f"largest relative error: {_error():.1e}")


def _in_process(task: str, seconds: float, frames: int) -> str:
    command = [sys.executable, "-m", "benchmarks.spectral_chunks"]
    words = [*command, "--one", task, str(seconds), str(frames)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"| {task} | {seconds:g} | {frames or 'all'} | {_last(done.stderr)} | |"
    return done.stdout.strip()


def _last(lines: str) -> str:
    return lines.strip().splitlines()[-1][:80] if lines.strip() else "killed: no memory"


def _one(task: str, seconds: float, frames: int) -> str:
    import torch

    torch.set_num_threads(1)
    audio = torch.randn(1, 1, round(seconds * RATE), generator=torch.Generator().manual_seed(0))
    network = _network(frames)
    before, start = _peak_mb(), time.process_time()
    if task == "reconstruct":
        with torch.no_grad():
            network.reconstruct(audio)
    else:
        coded = network(audio)
        (coded.emitted - coded.target).square().mean().backward()
    spent = time.process_time() - start
    return (
        f"| {task} | {seconds:g} | {frames or 'all'} | {_peak_mb() - before:.0f} MB | {spent:.1f} |"
    )


def _network(frames: int):  # type: ignore[no-untyped-def]  # torch is imported where it is used
    from codecctl.engine.build import build_networks
    from codecctl.engine.profile import load_profile

    words: Sequence[str] = (*CHANNELS, f"model.spectral_chunk_frames={frames}")
    return build_networks(load_profile("spectral-vae", words).profile)[0].eval()


def _error() -> float:
    import torch

    audio = torch.randn(1, 1, 20 * RATE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, pieces = (_network(frames).reconstruct(audio) for frames in (0, 512))
    return float((pieces - whole).norm() / whole.norm())


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

"""What a trained language model makes of recordings that it never heard, beside classic coders.

    .venv/bin/python benchmarks/lossless.py RUN [--checkpoint NAME] [--chunks 64] [--json]

Takes chunks at random places of the recordings that the run validates on, as many from each, and
gives bits per byte of the symbols and the ratio of raw to coded size: of the model (its cost, what
an ideal entropy coder would write), and of the same symbols, all chunks of a recording one behind
the other, through gzip -9, lzma, FLAC (libsndfile, level 8) and WavPack (-hhx, where installed).
Headers count. The classic coders so see longer pieces than the model's chunks; each chunk of the
model starts from nothing.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import lzma
import math
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from safetensors.torch import load_file

from codecctl.datasets.sampler import random_numbers
from codecctl.datasets.token_stream import TokenStream
from codecctl.engine.build_lossless import transformer_layout
from codecctl.engine.lossless_source import lossless_sides, open_stream
from codecctl.engine.networks.transformer import Transformer
from codecctl.engine.profile import profile_from_json
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.rundir import read_json
from codecctl.engine.runlist import read_pointer
from codecctl.locations import stores_folder

STREAM = 9  # of the benchmark's own draws
SUBTYPES = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"}


@dataclass(frozen=True)
class Result:
    """A coder on all chunks."""

    coder: str
    bits_per_byte: float
    ratio: float
    seconds: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("run", type=Path)
    parser.add_argument("--checkpoint", default="best")
    parser.add_argument("--chunks", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    profile, network = load(options.run, options.checkpoint)
    stream = open_stream(profile.data, stores_folder(), _store(options.run, profile))
    pieces = draw(profile, stream, options.chunks)
    results = [of_model(network, pieces), *of_coders(profile.data.bit_depth, pieces)]
    if options.json:
        print(json.dumps([vars(result) for result in results]))
        return
    symbols = sum(piece.size for piece in pieces.values())
    print(f"{symbols} symbols of {profile.data.bit_depth} bits from {len(pieces)} recordings")
    for result in results:
        print(
            f"{result.coder:<22} {result.bits_per_byte:6.3f} bits/byte  ratio {result.ratio:6.3f}  "
            f"{result.seconds:8.2f} s"
        )


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the docstring."""


def load(run: Path, checkpoint: str) -> tuple[LosslessProfile, Transformer]:
    """Profile and network of a run's checkpoint."""
    content = read_json(run / "profile.json")["profile"]
    assert isinstance(content, dict)
    profile = profile_from_json(content)
    assert isinstance(profile, LosslessProfile), profile.mode
    folder = run / "checkpoints"
    chosen = folder / (read_pointer(folder, checkpoint) or checkpoint)
    weights = chosen / "ema.safetensors"
    network = transformer_layout(profile).build()
    network.load_state_dict(
        load_file(weights if weights.exists() else chosen / "weights.safetensors")
    )
    return profile, network.eval()


def draw(profile: LosslessProfile, stream: TokenStream, count: int) -> dict[str, np.ndarray]:
    """Chunks by validation recording, (n, T) symbols each; recordings take turns."""
    length = profile.data.chunk_size
    names = [
        name
        for name in lossless_sides(profile.data, stream).validation
        if stream.recording(name).frames >= length
    ]
    chunks: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for index in range(count):
        name = names[index % len(names)]
        number = random_numbers(0, STREAM, step=index, attempt=0).random()
        start = int(number * (stream.recording(name).frames - length + 1))
        chunks[name].append(stream.tokens(name, start, length))
    return {name: np.stack(each) for name, each in chunks.items() if each}


def of_model(network: Transformer, pieces: dict[str, np.ndarray]) -> Result:
    """The model's cost, every chunk from nothing."""
    started = time.monotonic()
    bits = 0.0
    with torch.no_grad():
        for piece in pieces.values():
            for chunk in torch.from_numpy(piece).split(8):
                bits += float(network(chunk).double().sum()) / math.log(2)
    return _result("model (ideal coder)", bits / 8, network.layout.bits, pieces, started)


def of_coders(bits: int, pieces: dict[str, np.ndarray]) -> list[Result]:
    """The classic coders on all chunks of a recording at once."""
    coders: dict[str, Callable[[np.ndarray], int]] = {
        "gzip -9": lambda tokens: len(gzip.compress(_raw(tokens, bits), 9)),
        "lzma": lambda tokens: len(lzma.compress(_raw(tokens, bits))),
        "FLAC -8 (libsndfile)": lambda tokens: len(_sound_file(tokens, bits, "FLAC")),
    }
    if shutil.which("wavpack"):
        coders["WavPack -hhx"] = lambda tokens: _wavpack(tokens, bits)
    results = []
    for name, size in coders.items():
        started = time.monotonic()
        total = sum(size(piece.reshape(-1)) for piece in pieces.values())
        results.append(_result(name, float(total), bits, pieces, started))
    return results


def _result(
    coder: str, coded_bytes: float, bits: int, pieces: dict[str, np.ndarray], started: float
) -> Result:
    raw = sum(piece.size for piece in pieces.values()) * bits // 8
    seconds = time.monotonic() - started
    return Result(coder, 8 * coded_bytes / raw, raw / coded_bytes, seconds)


def _signed(tokens: np.ndarray, bits: int) -> np.ndarray:
    return tokens - (1 << (bits - 1))


def _raw(tokens: np.ndarray, bits: int) -> bytes:
    wide = _signed(tokens, bits).astype("<i4").view(np.uint8).reshape(-1, 4)
    return wide[:, : bits // 8].tobytes()


def _sound_file(tokens: np.ndarray, bits: int, kind: str) -> bytes:
    """One channel: whatever becomes of the channels, all coders see the same stream."""
    file = io.BytesIO()
    left = (_signed(tokens, bits) << (32 - bits)).astype(np.int32)
    subtype = "PCM_U8" if (kind, bits) == ("WAV", 8) else SUBTYPES[bits]
    level = {"compression_level": 1.0} if kind == "FLAC" else {}
    soundfile.write(file, left, 48000, format=kind, subtype=subtype, **level)
    return file.getvalue()


def _wavpack(tokens: np.ndarray, bits: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.wav"), Path(folder, "a.wv")
        source.write_bytes(_sound_file(tokens, bits, "WAV"))
        subprocess.run(["wavpack", "-hhx", "-q", str(source), "-o", str(target)], check=True)
        return target.stat().st_size


def _store(run: Path, profile: LosslessProfile) -> str:
    """The store that the run says it read."""
    store = read_json(run / "environment.json").get("store")
    return str(store["path"]) if isinstance(store, dict) else profile.data.store


if __name__ == "__main__":
    main()

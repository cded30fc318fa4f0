"""The learned coder on real files, bit for bit, whatever is coded at once and on how many threads.

    .venv/bin/python benchmarks/lossless_exact.py FOLDER [--samples 50000] [--updates 60] [--json]

Takes the first file of each format (channels and bits) of the audio files below FOLDER, besides a
stereo, an 8-bit and a 25-channel one that are made of others where none is there: the first
channels, the highest bits. Of each it takes the first samples, counted over all channels, trains a
small model on them (symbols of 8 bits in one piece, of 16 and 24 in bytes; 256 a chunk), codes them
with 1 and with 2 threads, which have to give the same bytes, and decodes what each coded with the
other number, which has to give the WAV file that it was. 1, 7 and 64 chunks at once have to give
the same bytes of the first 4096 samples; one at a time is slow. The cost is that of exact
arithmetic: bits that an ideal coder needs with its frequencies, over those with what the same model
says in float32. `bits/sample` is of the whole coded file.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from codecctl.datasets.audiofile import AudioFileError, probe
from codecctl.datasets.token_stream import BLOCKED, Layout, TokenStream
from codecctl.datasets.tokens import LINEAR, Tokenizer
from codecctl.datasets.wav_folder import WavFolder
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.files import decode_file, encode_file
from codecctl.engine.lossless.takes import Hearing, Take
from codecctl.engine.networks.transformer import Transformer, TransformerLayout

BLOCK, CHUNK = 128, 256
AT_ONCE = (1, 7, 64)
FEW = 4096
MADE = ((2, 16), (1, 8), (25, 24))
"""Channels and bits that are made of files with more, where no file has them."""


@dataclass(frozen=True)
class Result:
    """A format that passed."""

    file: str
    channels: int
    bits: int
    samples: int
    bits_per_sample: float
    float_bits_per_sample: float
    """Of an ideal coder."""
    cost_percent: float
    seconds: float


def main() -> None:
    """Print a line for each format; ends with 1 at the first difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = []
    for path, channels, bits in formats(options.folder):
        result = measure(path, channels, bits, samples=options.samples, updates=options.updates)
        results.append(result)
        print(
            f"{result.file:<44} {channels:>2} ch {bits:>2} bits  {result.samples:>6} samples  "
            f"{result.bits_per_sample:7.3f} bits/sample  cost {result.cost_percent:+.3f} %  "
            f"{result.seconds:5.0f} s",
            file=sys.stderr if options.json else sys.stdout,
            flush=True,
        )
    if options.json:
        print(json.dumps([vars(result) for result in results], indent=2))


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the docstring."""


def formats(folder: Path) -> list[tuple[Path, int, int]]:
    """A file, channels and bits of each format."""
    found: dict[tuple[int, int], Path] = {}
    for path in sorted(folder.rglob("*.*")):
        try:
            audio = probe(path)
        except AudioFileError:
            continue
        if audio.is_integer and audio.bits in (8, 16, 24):
            found.setdefault((audio.channels, audio.bits), path)
    rows = [(path, *form) for form, path in found.items()]
    for channels, bits in MADE:
        if (channels, bits) not in found:
            rows += [
                (path, channels, bits)
                for (more, deeper), path in sorted(found.items())
                if more >= channels and deeper >= bits
            ][:1]
    return sorted(rows, key=lambda row: row[1:])


def measure(path: Path, channels: int, bits: int, *, samples: int, updates: int) -> Result:
    """Code the beginning of a file in every way and compare."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        short = beginning(path, channels, bits, samples=FEW, room=room)
        wav = beginning(path, channels, bits, samples=samples, room=room)
        chunks, rest = chunks_of(wav, bits)
        network = trained(chunks, bits, updates=updates)
        exact = ExactTransformer(network)
        require_same(short, [coded(short, exact, at_once=each, threads=1) for each in AT_ONCE])
        coded_bytes = coded_by_threads(wav, exact)
    batches = [*torch.from_numpy(chunks).split(AT_ONCE[-1])]
    batches += [torch.from_numpy(rest[None])] if rest.size else []
    with torch.no_grad():
        ideal = sum(float(network(each).double().sum()) for each in batches) / math.log(2)
        whole = sum(exact_bits(exact, each) for each in batches)
    count = chunks.size + rest.size
    return Result(
        file=str(path.name),
        channels=channels,
        bits=bits,
        samples=count,
        bits_per_sample=8 * coded_bytes / count,
        float_bits_per_sample=ideal / count,
        cost_percent=100 * (whole / ideal - 1),
        seconds=time.monotonic() - started,
    )


def beginning(path: Path, channels: int, bits: int, *, samples: int, room: Path) -> Path:
    """A WAV file of the first samples of the first channels."""
    source = WavFolder.of_files([path])
    info = source.recordings[0]
    fewer = replace(info, channels=channels)
    tokenizer = Tokenizer(bits, LINEAR)
    hearing = Hearing(Layout(BLOCKED, block=BLOCK), tokenizer)
    frames = min(info.frames, -(-samples // channels))
    wav = room / f"{samples}.wav"
    Take(source, fewer, frames, hearing).write(wav)
    return wav


def chunks_of(wav: Path, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """The stream of a WAV file: whole chunks (n, CHUNK), and what is left."""
    layout = Layout(BLOCKED, block=BLOCK)
    stream = TokenStream(WavFolder.of_files([wav]), Tokenizer(bits, LINEAR), layout)
    tokens = stream.tokens(str(wav), 0, stream.recording(str(wav)).frames)
    whole = len(tokens) // CHUNK * CHUNK
    return tokens[:whole].reshape(-1, CHUNK), tokens[whole:]


def trained(chunks: np.ndarray, bits: int, *, updates: int) -> Transformer:
    """A small model after some updates on the chunks."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = TransformerLayout(
        bits=bits,
        context=CHUNK,
        embedding_dim=16,
        num_layers=2,
        num_heads=2,
        widening_factor=2,
        head="full" if bits == 8 else "factorised",
    ).build()
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    rng = np.random.default_rng(0)
    for _ in range(updates):
        batch = torch.from_numpy(chunks[rng.integers(len(chunks), size=8)])
        optimizer.zero_grad()
        torch.autograd.backward(network(batch).mean())
        optimizer.step()
    return network.eval()


def coded(wav: Path, model: ExactTransformer, *, at_once: int, threads: int) -> Path:
    """The coded file of a WAV file."""
    torch.set_num_threads(threads)
    target = wav.with_name(f"{wav.stem}-{at_once}-{threads}.cctl")
    encode_file(wav, target, model, block=BLOCK, at_once=at_once)
    return target


def require_same(wav: Path, files: list[Path]) -> None:
    """End where coded files differ in a byte."""
    if len({file.read_bytes() for file in files}) != 1:
        raise SystemExit(f"{wav.name}: differ: {', '.join(file.name for file in files)}")


def coded_by_threads(wav: Path, model: ExactTransformer) -> int:
    """Bytes of the coded file, which 1 and 2 threads code and decode alike."""
    files = [coded(wav, model, at_once=AT_ONCE[-1], threads=threads) for threads in (1, 2)]
    require_same(wav, files)
    for file, threads in zip(files, (2, 1), strict=True):
        torch.set_num_threads(threads)
        back = file.with_suffix(".wav")
        decode_file(file, back, model, at_once=AT_ONCE[-1])
        if back.read_bytes() != wav.read_bytes():
            raise SystemExit(f"{wav.name}: {threads} threads decode other samples of {file.name}")
    return files[0].stat().st_size


def exact_bits(model: ExactTransformer, tokens: Tensor) -> float:
    """What an ideal coder needs for chunks (B, T) with the frequencies of the exact model."""
    torch.set_num_threads(1)
    state, bits = model.start(len(tokens)), 0.0
    previous, rows = torch.zeros(len(tokens), dtype=torch.int64), torch.arange(len(tokens))
    for symbol in tokens.T:
        features, digits = state.features(previous), list[Tensor]()
        for place in range(model.num_places):
            shift = 8 * (model.num_places - 1 - place)
            digits.append((symbol >> shift) & 255 if model.num_places > 1 else symbol)
            counts = model.frequencies(features, digits[:-1]).double()
            bits -= float(torch.log2(counts[rows, digits[-1]] / counts.sum(-1)).sum())
        previous = symbol
    return bits


if __name__ == "__main__":
    main()

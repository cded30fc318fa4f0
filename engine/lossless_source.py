"""Where the audio of a lossless profile comes from: a folder of WAV files or a store of integers.

Needs no torch, so that what is missing is told at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from codecctl.datasets.choose import AUTO
from codecctl.datasets.shards import is_shard
from codecctl.datasets.split import Split
from codecctl.datasets.store import Store, read_index
from codecctl.datasets.token_stream import IntegerSource, Layout, TokenStream
from codecctl.datasets.tokens import Tokenizer
from codecctl.datasets.wav_folder import WavFolder
from codecctl.engine.profile.schema_lossless import LosslessData
from codecctl.engine.sides import sides_of, unchecked_sides
from codecctl.errors import DataError, NotFoundError, UsageError

PCM = "pcm"


def open_stream(data: LosslessData, stores: Path, wanted: str) -> TokenStream:
    """The streams of symbols that a profile trains on.

    Args:
        data: Of the profile.
        stores: Folder of the stores.
        wanted: Name or path of a store, or `auto`; of no concern with `audio_dir`.

    Raises:
        NotFoundError: There is no such folder or store.
        UsageError: Several stores would do.
        DataError: Nothing in it can be used.
    """
    source: IntegerSource = (
        WavFolder.open(Path(data.audio_dir).expanduser())
        if data.audio_dir
        else Store.open(_store_path(stores, wanted), check_reads=data.check_reads)
    )
    return TokenStream(source, *tokens_of(data))


def tokens_of(data: LosslessData) -> tuple[Tokenizer, Layout]:
    """How a profile makes symbols of samples, and one stream of channels."""
    return (
        Tokenizer(data.bit_depth, data.quantisation),
        Layout(data.layout, capsule=data.capsule, block=data.stereo_blocking_n),
    )


def open_integers(wanted: Sequence[str], stores: Path) -> IntegerSource:
    """What a command line names: audio files, a folder of WAV files, or a store of integers.

    Args:
        wanted: Files, or one folder or store.
        stores: Folder of the stores.

    Raises:
        NotFoundError: There is no such thing.
        UsageError: Several folders or stores, or one among files.
        DataError: It holds no integers.
    """
    paths = [Path(word).expanduser() for word in wanted]
    if all(path.is_file() for path in paths):
        return WavFolder.of_files(paths)
    kept = [path for word in wanted for path in (stores / word, Path(word)) if path.is_dir()]
    gone = [word for word, path in zip(wanted, paths, strict=True) if not path.exists()]
    if gone and not kept:
        raise NotFoundError(f"{gone[0]}: no such file, folder or store")
    if len(paths) != 1:
        raise UsageError(
            f"found {len(wanted)} sources ({', '.join(wanted[:4])}), needed audio files, or one "
            "folder or store"
        )
    if not (kept[0] / "index.json").exists():
        return WavFolder.open(kept[0])
    return Store.open(_named(stores, wanted[0]))


def lossless_sides(data: LosslessData, stream: TokenStream) -> Split:
    """Recordings of each side; a fifth validates where neither scenes nor a split decide.

    Raises:
        NotFoundError: The store has no such split.
        DataError: Its sides share audio.
    """
    if isinstance(stream.source, Store):
        return sides_of(data, stream)
    sides = unchecked_sides(data, stream)
    return sides if sides.on_itself else replace(sides, note="")


def describe(data: LosslessData, stream: TokenStream) -> list[str]:
    """What was found, one line each: formats with their counts, rates, and what it becomes."""
    lines = _folder_lines(stream.source) if isinstance(stream.source, WavFolder) else []
    modes = {
        "mono": "all audio is processed as mono (channels are converted to their mean)",
        "one": f"channel {data.capsule} of every recording is processed",
        "blocked": f"all channels are processed, in turns of {data.stereo_blocking_n} samples",
    }
    exact = "lossless" if stream.is_exact else "not lossless: the source cannot be had back"
    lines.append(f"{modes[data.layout]}; symbols of {data.bit_depth} bits, {exact}")
    return lines


def _folder_lines(folder: WavFolder) -> list[str]:
    found = folder.format
    lines = [
        f"audio format of {folder.path}: {found.recommended} ({len(found.stereo_files)} stereo, "
        f"{len(found.mono_files)} mono files)"
    ]
    if len(folder.rates) > 1:
        rates = ", ".join(f"{rate} Hz" for rate in folder.rates)
        lines.append(f"files of {rates} are read as they are; nothing is resampled")
    return lines


def _store_path(stores: Path, wanted: str) -> Path:
    if wanted != AUTO:
        return _named(stores, wanted)
    folders = [path.parent for path in sorted(stores.glob("*/index.json"))]
    kinds = {path: read_index(path).dtype for path in folders if not is_shard(path.name)}
    fitting = [path for path, dtype in kinds.items() if dtype == PCM]
    if len(fitting) > 1:
        names = ", ".join(path.name for path in fitting)
        raise UsageError(
            f"{stores}: found {len(fitting)} stores of integers ({names}), needed one; choose with "
            f"data.store={fitting[0].name}"
        )
    if fitting:
        return fitting[0]
    others = ", ".join(f"{path.name} of {dtype}" for path, dtype in kinds.items()) or "no store"
    raise NotFoundError(
        f"{stores}: found {others}, needed integers: name a folder of WAV files with --audio_dir "
        "DIR, or make a store with: codecctl data ingest FOLDER --dtype pcm --rate native"
    )


def _named(stores: Path, wanted: str) -> Path:
    for path in (stores / wanted, Path(wanted)):
        if path.is_dir():
            found = read_index(path).dtype
            if found == PCM:
                return path
            raise DataError(
                f"store {path.name}: found {found}, needed the source's integers; make a store of "
                "them with: codecctl data ingest FOLDER --dtype pcm --rate native"
            )
    raise NotFoundError(f"{wanted}: no store of this name or path; see codecctl data list")

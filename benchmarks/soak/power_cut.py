"""Restore by hand what a power cut can leave of a store, and see what the next ingest makes of it.

    python -m benchmarks.soak.power_cut

Partial files of this and of another host, a missing, torn, empty or zeroed index, recordings that
the index lists and that are missing, cut, zeroed or still under their temporary name, a lock of
the dead. The next ingest has to make the store that an undisturbed one makes, bit for bit.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks.soak.ingest_kills import undisturbed
from tests.faults import content, finish, require_converged, start

DEAD = 2**22 - 1
"""No process of this number lives."""


def main() -> None:
    """Try every state; an AssertionError ends them."""
    folder = Path(tempfile.mkdtemp(prefix="power-cut-"))
    try:
        corpus, whole, _ = undisturbed(folder, 30)
        for name, cut in CUTS.items():
            home = folder / name.replace(" ", "-")
            shutil.copytree(folder / "undisturbed", home)
            cut(home / "stores" / "store")
            require_converged(home, corpus, whole)
            print(f"{name}: fine", flush=True)
            shutil.rmtree(home)
        audio_lost(folder, corpus, whole)
    finally:
        shutil.rmtree(folder)
    print(f"{len(CUTS) + 1} states: each next ingest equals the undisturbed one")


def audio_lost(folder: Path, corpus: Path, whole: Mapping[str, bytes]) -> None:
    """Pages of audio that never reached the disk; verify finds them, removing the file mends it."""
    home = folder / "audio"
    shutil.copytree(folder / "undisturbed", home)
    path = recordings(home / "stores" / "store")[0]
    size = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(size)
        file.write(bytes(8192))
    assert finish(start(home, corpus))[0] == 0
    try:
        dict(content(home))
        raise SystemExit("verify did not find the lost pages")
    except AssertionError as error:
        assert "verify is not clean" in str(error), error
    path.unlink()
    require_converged(home, corpus, dict(whole))
    print("pages of audio lost: found by verify, removed, fine", flush=True)


def recordings(store: Path) -> list[Path]:
    """The visible recording files."""
    return sorted(store.glob("rec/[!.]*.h5"))


def _partial_files(store: Path) -> None:
    data = recordings(store)[0].read_bytes()
    host = socket.gethostname()
    (store / f"rec/.Beach.01.tmp-{host}-{DEAD}").write_bytes(data[: len(data) // 3])
    (store / f"rec/.Beach.02.tmp-{host}-{DEAD}").write_bytes(bytes(len(data)))
    (store / f".index.tmp-{host}-{DEAD}").write_bytes(b"{")
    _no_index(store)


def _files_of_another_host(store: Path) -> None:
    data = recordings(store)[0].read_bytes()
    for number in (1, 2):
        path = store / f"rec/.Beach.0{number}.tmp-elsewhere-{number}"
        path.write_bytes(data[: len(data) // number])
        os.utime(path, (0, time.time() - 25 * 3600))
    _listed_file_missing(store)


def _still_temporary(store: Path) -> None:
    first = recordings(store)[0]
    first.rename(first.with_name(f".{first.stem}.tmp-{socket.gethostname()}-{DEAD}"))
    _no_index(store)


def _no_index(store: Path) -> None:
    (store / "index.json").unlink()


def _torn_index(store: Path) -> None:
    data = (store / "index.json").read_bytes()
    (store / "index.json").write_bytes(data[: len(data) // 2])


def _half_zeroed_index(store: Path) -> None:
    data = (store / "index.json").read_bytes()
    half = len(data) // 2
    (store / "index.json").write_bytes(data[:half] + bytes(len(data) - half))


def _empty_index(store: Path) -> None:
    (store / "index.json").write_bytes(b"")


def _zeroed_index(store: Path) -> None:
    (store / "index.json").write_bytes(bytes((store / "index.json").stat().st_size))


def _listed_file_missing(store: Path) -> None:
    recordings(store)[0].unlink()


def _listed_file_cut(store: Path) -> None:
    path = recordings(store)[0]
    os.truncate(path, path.stat().st_size // 2)


def _listed_file_empty(store: Path) -> None:
    os.truncate(recordings(store)[0], 0)


def _listed_file_zeroed(store: Path) -> None:
    path = recordings(store)[0]
    path.write_bytes(bytes(path.stat().st_size))


def _end_zeroed_without_index(store: Path) -> None:
    for path in recordings(store):
        data = path.read_bytes()
        path.write_bytes(data[:-4096] + bytes(4096))
    _no_index(store)


def _head_zeroed_without_index(store: Path) -> None:
    for path in recordings(store):
        data = path.read_bytes()
        path.write_bytes(bytes(4096) + data[4096:])
    _no_index(store)


def _all_recordings_missing(store: Path) -> None:
    shutil.rmtree(store / "rec")


def _lock_of_the_dead(store: Path) -> None:
    holder = {"host": socket.gethostname(), "pid": DEAD}
    (store / ".ingest.lock").write_text(json.dumps(holder))
    _listed_file_missing(store)


def _torn_lock(store: Path) -> None:
    (store / ".ingest.lock").write_bytes(b"\0" * 40)
    _listed_file_missing(store)


CUTS: Mapping[str, Callable[[Path], None]] = MappingProxyType(
    {
        "partial files, no index": _partial_files,
        "old files of another host": _files_of_another_host,
        "rename lost, no index": _still_temporary,
        "no index": _no_index,
        "torn index": _torn_index,
        "index half zeroed": _half_zeroed_index,
        "index empty": _empty_index,
        "index zeroed": _zeroed_index,
        "listed file missing": _listed_file_missing,
        "listed file cut": _listed_file_cut,
        "listed file empty": _listed_file_empty,
        "listed file zeroed": _listed_file_zeroed,
        "ends zeroed, no index": _end_zeroed_without_index,
        "heads zeroed, no index": _head_zeroed_without_index,
        "recordings missing": _all_recordings_missing,
        "lock of the dead": _lock_of_the_dead,
        "torn lock": _torn_lock,
    }
)


if __name__ == "__main__":
    main()

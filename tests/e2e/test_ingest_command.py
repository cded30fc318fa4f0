"""`codecctl data ingest` as a user runs it: killed, interrupted, limited, and on real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.store import Store, read_index

pytestmark = pytest.mark.e2e

CODECCTL = Path(sys.executable).with_name("codecctl")
RECORDINGS, CHANNELS, SECONDS, RATE = 8, 16, 8, 48_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight recordings of noise, about a second of work."""
    folder = tmp_path_factory.mktemp("corpus") / "corpus"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(RECORDINGS):
        audio = generator.integers(-8000, 8000, (SECONDS * RATE, CHANNELS), dtype=np.int16)
        soundfile.write(folder / f"Park-0{number}-Raw.wav", audio, RATE, subtype="PCM_24")
    return folder


def run(folder: Path, *words: object, limit: str = "") -> subprocess.CompletedProcess[str]:
    """Run codecctl in a folder, under a limit of the shell if given."""
    command = [str(CODECCTL), *map(str, words)]
    if limit:
        command = ["bash", "-c", f'{limit}; exec "$0" "$@"', *command]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def start(folder: Path, *words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(CODECCTL), *map(str, words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def leftovers(folder: Path) -> list[str]:
    """Unfinished files and locks."""
    return [path.name for path in folder.rglob(".*")]


def require_complete(folder: Path, source: Path) -> None:
    finished = run(folder, "data", "ingest", source, "--json")
    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert len(report["stored"]) + len(report["unchanged"]) == RECORDINGS
    assert leftovers(folder) == []
    verified = run(folder, "data", "verify", source.name)
    assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize("delay", [0.6, 0.9, 1.2])
def test_an_ingest_killed_at_any_moment_is_finished_by_the_next(
    source: Path, tmp_path: Path, delay: float
) -> None:
    process = start(tmp_path, "data", "ingest", source, "--jobs", 2)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()  # the parent alone, as the kernel does when memory is short
        process.wait()
    for path in tmp_path.glob("stores/corpus/rec/*.h5"):
        assert path.stat().st_size > CHANNELS * SECONDS * 24_000 * 2
    require_complete(tmp_path, source)


def test_an_ingest_whose_whole_group_is_killed_is_finished_by_the_next(
    source: Path, tmp_path: Path
) -> None:
    process = start(tmp_path, "data", "ingest", source, "--jobs", 2)
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() in (0, -signal.SIGKILL)  # a fast machine may have ended by then
    require_complete(tmp_path, source)
    stored = Store.open(tmp_path / "stores/corpus")
    assert len(stored.recordings) == RECORDINGS and stored.verify() == []


def test_ctrl_c_leaves_nothing_half_done_and_exits_with_130(source: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "data", "ingest", source, "--jobs", 1)
    while not list(tmp_path.glob("stores/corpus/rec/.*.tmp-*")):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)  # ends early only if it fails
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert leftovers(tmp_path) == []
    require_complete(tmp_path, source)


def test_two_ingests_at_once_end_with_one_sound_store(source: Path, tmp_path: Path) -> None:
    both = [start(tmp_path, "data", "ingest", source, "--jobs", 1) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    require_complete(tmp_path, source)


def test_a_second_run_changes_not_one_byte_or_time(source: Path, tmp_path: Path) -> None:
    def state() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    assert run(tmp_path, "data", "ingest", source).returncode == 0
    before = state()
    again = run(tmp_path, "data", "ingest", source)
    assert again.returncode == 0
    assert "stored 0, unchanged 8" in again.stdout
    assert again.stdout.splitlines()[-1] == "next: codecctl train --profile paired"
    assert state() == before


def test_a_file_size_limit_is_an_error_that_leaves_nothing(source: Path, tmp_path: Path) -> None:
    limited = run(tmp_path, "data", "ingest", source, limit="ulimit -f 1000")
    assert limited.returncode == 1
    assert "file size limit reached: needed 6." in limited.stderr
    assert "Traceback" not in limited.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_in_one_store_of_two_leaves_nothing_of_the_file_in_either(
    source: Path, tmp_path: Path
) -> None:
    words = ("data", "ingest", source, "--rate", "16000,native")
    limited = run(tmp_path, *words, limit="ulimit -f 8000")  # kB: room for one of the two
    assert limited.returncode == 1
    assert "file size limit reached: needed 12.3 MB" in limited.stderr
    assert list(tmp_path.iterdir()) == []
    assert run(tmp_path, *words).returncode == 0
    for name in ("corpus", "corpus-native"):
        assert run(tmp_path, "data", "verify", name).returncode == 0


def test_parts_and_their_merge_killed_at_any_moment_end_with_the_whole_store(
    source: Path, tmp_path: Path
) -> None:
    assert run(tmp_path, "data", "ingest", source, "--name", "whole").returncode == 0
    ingests = [
        start(tmp_path, "data", "ingest", source, "--jobs", 1, "--shard", f"{part}/2")
        for part in (1, 2)
    ]
    try:
        ingests[1].wait(1.2)
    except subprocess.TimeoutExpired:
        ingests[1].kill()
        ingests[1].wait()
    assert ingests[0].wait(120) == 0
    assert run(tmp_path, "data", "ingest", source, "--shard", "2/2").returncode == 0
    for delay in (0.4, 0.5):
        merging = start(tmp_path, "data", "merge", "corpus")
        try:
            merging.wait(delay)
        except subprocess.TimeoutExpired:
            merging.kill()
            merging.wait()
    assert run(tmp_path, "data", "merge", "corpus").returncode == 0
    assert sorted(path.name for path in (tmp_path / "stores").iterdir()) == ["corpus", "whole"]
    assert leftovers(tmp_path) == []
    whole, merged = (read_index(tmp_path / "stores" / name) for name in ("whole", "corpus"))
    assert merged.fingerprint == whole.fingerprint
    assert run(tmp_path, "data", "verify", "corpus").returncode == 0


def test_a_target_below_a_regular_file_is_an_error(source: Path, tmp_path: Path) -> None:
    (tmp_path / "stores").write_text("mine")
    refused = run(tmp_path, "data", "ingest", source)
    assert refused.returncode == 1
    assert "stores is a file; remove it or set CODECCTL_HOME" in refused.stderr
    assert (tmp_path / "stores").read_text() == "mine"


def test_bad_files_exit_with_4_and_the_others_are_stored(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (48_000, 2))
    for name in ("good.wav", "cut.wav", os.fsdecode(b"caf\xe9.wav")):
        with (folder / name).open("wb") as file:
            soundfile.write(file, noise, 48_000, format="WAV", subtype="PCM_16")
    os.truncate(folder / "cut.wav", 50_000)
    (folder / "._good.wav").write_bytes(b"resource fork")
    (folder / "text.wav").write_text("text")
    mixed = run(tmp_path, "data", "ingest", folder, "--json")
    assert mixed.returncode == 4
    assert json.loads(mixed.stdout)["stored"] == ["caf", "good"]
    assert "2 files cannot be ingested:" in mixed.stderr
    assert "cut.wav: truncated" in mixed.stderr
    assert "text.wav: not audio" in mixed.stderr
    assert run(tmp_path, "data", "info", "mixed").returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing"], 5, "no such file or folder"),
        (["."], 4, "no audio file here or below"),
        ([".", "--rate", "fast"], 2, "needed rates of 1000 to 768000 Hz, or native"),
        ([".", "--dtype", "pcm", "--rate", "24000"], 2, "needed --rate native"),
    ],
)
def test_errors_are_one_line_with_their_exit_code(
    tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    failed = run(tmp_path, "data", "ingest", *words)
    assert (failed.returncode, failed.stdout) == (code, "")
    assert len(failed.stderr.splitlines()) == 1
    assert message in failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_real_recordings_of_every_kind_are_ingested(shared_audio: Path, tmp_path: Path) -> None:
    for folder, stored, left_out in (("sph", 8, 3), ("array", 8, 0)):
        report = run(tmp_path, "data", "ingest", shared_audio / folder, "--json")
        assert report.returncode == 0, report.stderr
        content = json.loads(report.stdout)
        assert (len(content["stored"]), len(content["left_out"])) == (stored, left_out)
        assert run(tmp_path, "data", "verify", folder).returncode == 0


def test_the_genuine_clip_is_taken_on_request_and_never_padded(
    shared_audio: Path, tmp_path: Path
) -> None:
    clip = shared_audio / "sph" / "eigenscape"
    refused = run(tmp_path, "data", "ingest", clip)
    assert refused.returncode == 4
    assert "0.3 s is shorter than --min-seconds 1 (0 takes everything)" in refused.stderr
    assert run(tmp_path, "data", "ingest", clip, "--min-seconds", 0).returncode == 0
    (row,) = json.loads(run(tmp_path, "data", "info", "eigenscape", "--json").stdout)["recordings"]
    assert (row["name"], row["array"], row["frames"]) == ("Beach.1", "em32", 7200)
    assert row["level_db"] == pytest.approx(-40.8, abs=0.1)

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest import Prepared, default_workers, ingest, prepare
from codecctl.datasets.ingest_report import Report
from codecctl.datasets.ingest_survey import Rules
from codecctl.datasets.store import FORMAT_VERSION, Store
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError


def rules(
    *,
    rate: int | None = 24_000,
    dtype: str = "int16",
    min_seconds: float = 1.0,
    replace: bool = False,
) -> Rules:
    return Rules(rates=(rate,), dtype=dtype, min_seconds=min_seconds, replace=replace)


def write(
    path: Path,
    *,
    seconds: float = 1.25,
    channels: int = 2,
    rate: int = 48_000,
    seed: int = 0,
    subtype: str = "PCM_24",
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    soundfile.write(path, audio, rate, subtype=subtype)
    return path


def run(prepared: Prepared, *, num_workers: int = 1) -> Report:
    return ingest(prepared, num_workers=num_workers, on_bytes=lambda _: None)


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder with its size and time."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source of two recordings of Beach and one without a scene, and a store of them."""
    folder = tmp_path_factory.mktemp("template")
    write(folder / "source" / "Beach-01-Raw.wav", channels=32, seed=1)
    write(folder / "source" / "Beach.2.wav", channels=3, seed=2, rate=44_100)
    write(folder / "source" / "attic" / "door.flac", channels=1, seed=3)
    run(prepare(folder / "source", folder / "s", rules()), num_workers=2)
    return folder


@pytest.fixture
def source(template: Path, tmp_path: Path) -> Path:
    """A copy of the source."""
    return Path(shutil.copytree(template / "source", tmp_path / "source"))


@pytest.fixture
def store(template: Path, source: Path) -> Path:
    """A copy of the store of the source."""
    return Path(shutil.copytree(template / "s", source.parent / "s"))


def test_all_recordings_reach_the_store_and_a_second_run_touches_nothing(
    source: Path, tmp_path: Path
) -> None:
    store = tmp_path / "stores" / "s"
    report = run(prepare(source, store, rules()), num_workers=2)
    assert report.stored == ("Beach.1", "Beach.2", "attic_door")
    assert (report.refused, report.failed, report.complete) == ((), (), True)
    with Store.open(store) as opened:
        assert (opened.name, opened.sample_rate, opened.dtype) == ("s", 24_000, "int16")
        assert [row.frames for row in opened.recordings] == [30_000] * 3
        assert [row.array for row in opened.recordings] == ["em32", "unknown-3ch", "unknown-1ch"]
        assert opened.recording("attic_door").source_name == "attic/door.flac"
        assert opened.recording("Beach.2").source_rate == 44_100
        assert opened.source_folder == str(source)
        assert opened.verify() == []
    before = everything(tmp_path)
    again = run(prepare(source, store, rules()))
    assert (again.stored, again.plan.unchanged) == ((), report.stored)
    assert everything(tmp_path) == before


def test_audio_of_the_stored_rate_is_kept_to_half_a_step(tmp_path: Path) -> None:
    path = write(tmp_path / "source" / "a.wav", rate=24_000, channels=4)
    run(prepare(path.parent, tmp_path / "s", rules()))
    expected, _ = soundfile.read(path, dtype="float32")
    with Store.open(tmp_path / "s") as store:
        found = store.read("a", 0, 30_000, range(4))
    assert np.abs(found - expected.T).max() <= 0.5 * 0.5 / 32_767 + 1e-7


def test_a_float_store_keeps_every_bit_at_the_native_rate(tmp_path: Path) -> None:
    path = write(tmp_path / "source" / "a.wav", rate=44_100, channels=2, seconds=1.5)
    run(prepare(path.parent, tmp_path / "s", rules(rate=None, dtype="float32")))
    expected, _ = soundfile.read(path, dtype="float32")
    with Store.open(tmp_path / "s") as store:
        assert (store.sample_rate, store.dtype) == (44_100, "float32")
        np.testing.assert_array_equal(store.read("a", 0, 66_150, [0, 1]), expected.T)


def test_bad_files_are_named_and_all_others_stored(source: Path, tmp_path: Path) -> None:
    os.truncate(write(source / "cut.wav"), 10_000)
    (source / "empty.wav").touch()
    (source / "text.wav").write_text("not audio")
    (source / "gone.wav").symlink_to("nowhere")
    (source / "folder.wav").mkdir()
    write(source / "none.wav", seconds=0)
    broken = np.zeros((48_000, 2))
    broken[24_000, 1] = np.nan
    soundfile.write(source / "nan.wav", broken, 48_000, subtype="FLOAT")
    report = run(prepare(source, tmp_path / "s", rules()))
    reasons = {problem.path: problem.reason for problem in report.refused}
    assert set(reasons) == {
        "cut.wav",
        "empty.wav",
        "text.wav",
        "gone.wav",
        "folder.wav",
        "none.wav",
        "nan.wav",
    }
    assert reasons["nan.wav"] == "channel 2 holds nan at 0.5000 s; needed finite samples"
    assert report.stored == ("Beach.1", "Beach.2", "attic_door")
    with Store.open(tmp_path / "s") as store:
        assert store.verify() == []
    assert not [name for name in everything(tmp_path / "s") if ".tmp-" in name or ".lock" in name]


def test_a_source_of_bad_files_alone_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    broken = np.full((48_000, 1), np.inf)
    soundfile.write(tmp_path / "source" / "inf.wav", broken, 48_000, subtype="FLOAT")
    report = run(prepare(tmp_path / "source", tmp_path / "stores" / "s", rules()))
    assert [problem.path for problem in report.refused] == ["inf.wav"]
    assert not (tmp_path / "stores").exists()


def test_short_files_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "source" / "Beach.1.wav", seconds=0.3, channels=32)
    prepared = prepare(path.parent, tmp_path / "s", rules())
    assert prepared.plan.jobs == ()
    assert "0.3 s is shorter than --min-seconds 1" in prepared.plan.left_out[0].reason
    run(prepare(path.parent, tmp_path / "s", rules(min_seconds=0)))
    with Store.open(tmp_path / "s") as store:
        assert store.recording("Beach.1").frames == 7200  # exactly 0.3 s: nothing is padded


def test_a_touched_file_is_compared_and_left_alone(source: Path, store: Path) -> None:
    before = everything(store)
    os.utime(source / "Beach.2.wav", (1, 1))
    report = run(prepare(source, store, rules()))
    assert (report.stored, report.refused) == ((), ())
    assert everything(store).keys() == before.keys()
    assert everything(store)["rec/Beach.2.h5"] == before["rec/Beach.2.h5"]


@pytest.mark.long
@pytest.mark.parametrize("seconds", [1.25, 1.5])
def test_a_changed_file_is_refused_until_it_may_replace(tmp_path: Path, seconds: float) -> None:
    path = write(tmp_path / "source" / "Beach.1.wav", seed=1)
    store = tmp_path / "s"
    run(prepare(path.parent, store, rules()))
    with Store.open(store) as opened:
        fingerprint = opened.fingerprint
    write(path, seed=2, seconds=seconds)
    os.utime(path, (1, 1))
    refused = run(prepare(path.parent, store, rules())).refused
    assert "differs from what was stored as Beach.1; --replace" in refused[0].reason
    with Store.open(store) as opened:
        assert opened.fingerprint == fingerprint
    assert run(prepare(path.parent, store, rules(replace=True))).stored == ("Beach.1",)
    with Store.open(store) as opened:
        assert opened.fingerprint != fingerprint
        assert opened.verify() == []


def test_the_two_products_of_one_take_are_two_recordings(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source / "Beach.1.wav", channels=25)
    write(source / "Beach-01-Raw.wav", channels=32)
    run(prepare(source, tmp_path / "s", rules()))
    with Store.open(tmp_path / "s") as store:
        found = {(row.name, row.array, row.scene, row.take) for row in store.recordings}
    assert found == {
        ("Beach.1", "em32", "Beach", "1"),
        ("Beach.1-25ch", "ambisonic-ACN-SN3D", "Beach", "1"),
    }


def test_the_published_fault_of_park_6_is_a_warning_that_explains_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source / "Park-05-Raw.wav", channels=32)
    write(source / "Park-06-Raw.wav", channels=25)
    report = run(prepare(source, tmp_path / "s", rules()))
    assert report.refused == ()
    assert report.stored == ("Park.5", "Park.6")
    assert [problem.path for problem in report.plan.warnings] == ["Park-06-Raw.wav"]
    assert "published fault of EigenScape" in report.plan.warnings[0].reason


def test_the_plan_promises_the_size_that_is_written(source: Path, tmp_path: Path) -> None:
    prepared = prepare(source, tmp_path / "s", rules())
    run(prepared)
    written = sum(path.stat().st_size for path in (tmp_path / "s" / "rec").iterdir())
    assert written <= prepared.plan.target_bytes <= written + 3 * 65_536


def test_what_a_killed_ingest_left_is_cleaned_and_finished(source: Path, store: Path) -> None:
    (store / "index.json").unlink()
    (store / "rec" / "Beach.2.h5").unlink()
    half = (store / "rec" / "attic_door.h5").read_bytes()
    (store / "rec" / "attic_door.h5").write_bytes(half[: len(half) // 2])
    host = socket.gethostname()
    leftover = (
        store / "rec" / f".Beach.2.tmp-{host}-{os.getppid()}"
    )  # it lives, but not on this store
    foreign = store / "rec" / ".Beach.2.tmp-elsewhere-1"
    old = store / "rec" / ".Beach.2.tmp-elsewhere-2"
    for path in (leftover, foreign, old):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    report = run(prepare(source, store, rules()))
    assert report.stored == ("Beach.2", "attic_door")
    assert (leftover.exists(), foreign.exists(), old.exists()) == (False, True, False)
    with Store.open(store) as opened:
        assert len(opened.recordings) == 3
        assert opened.verify() == []


def test_a_recording_that_vanished_from_the_store_is_written_again(
    source: Path, store: Path
) -> None:
    (store / "rec" / "Beach.1.h5").unlink()
    prepared = prepare(source, store, rules())
    assert prepared.target.lost == ("Beach.1",)
    assert run(prepared).stored == ("Beach.1",)


@pytest.mark.parametrize(
    "content",
    [
        '{"format": "codec',
        json.dumps({"format": "codecctl-store", "format_version": FORMAT_VERSION, "name": 5}),
    ],
)
def test_a_damaged_index_is_written_anew(source: Path, store: Path, content: str) -> None:
    (store / "index.json").write_text(content)
    prepared = prepare(source, store, rules())
    assert prepared.target.index_damaged
    assert run(prepared).stored == ()
    with Store.open(store) as opened:
        assert len(opened.recordings) == 3


def test_a_store_of_another_version_stays_as_it_is(source: Path, store: Path) -> None:
    index = json.loads((store / "index.json").read_text())
    (store / "index.json").write_text(json.dumps(index | {"format_version": 99}))
    before = everything(store)
    with pytest.raises(DataError, match="format version 99"):
        prepare(source, store, rules())
    assert everything(store) == before


@pytest.mark.parametrize(("rate", "dtype"), [(44_100, "int16"), (24_000, "float32")])
def test_a_store_holds_one_rate_and_type(source: Path, store: Path, rate: int, dtype: str) -> None:
    (store / "index.json").unlink()  # also when it was never finished
    other = rate if rate != 24_000 else dtype
    with pytest.raises(UsageError, match=rf"holds 24000 Hz int16.*give --name s-{other}"):
        prepare(source, store, rules(rate=rate, dtype=dtype))


def test_native_rates_have_to_agree(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"48000 Hz \(2 files\), 44100 Hz \(1 file\)"):
        prepare(source, tmp_path / "s", rules(rate=None))


def test_sources_without_audio_say_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file or folder"):
        prepare(tmp_path / "missing", tmp_path / "s", rules())
    (tmp_path / "source").mkdir()
    with pytest.raises(DataError, match=r"no audio file here or below$"):
        prepare(tmp_path / "source", tmp_path / "s", rules())
    (tmp_path / "source" / "Beach.zip").touch()
    with pytest.raises(DataError, match=r"below, but Beach\.zip: an archive; unpack it"):
        prepare(tmp_path / "source", tmp_path / "s", rules())


def test_a_regular_file_or_a_foreign_folder_in_the_way_is_not_touched(
    source: Path, tmp_path: Path
) -> None:
    (tmp_path / "stores").write_text("a file")
    with pytest.raises(CodecctlError, match=r"cannot be made, .*stores is a file"):
        prepare(source, tmp_path / "stores" / "s", rules())
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "draft.txt").touch()
    with pytest.raises(UsageError, match="exists and is no store"):
        prepare(source, tmp_path / "thesis", rules())


def test_a_folder_that_cannot_be_written_says_so(source: Path) -> None:
    with pytest.raises(CodecctlError, match="cannot write"):
        run(prepare(source, Path("/proc/stores/s"), rules()))


def test_a_disk_that_is_too_small_is_known_before_the_first_byte(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(CodecctlError, match=r"needs .* MB, the disk has 1 kB free"):
        run(prepare(source, tmp_path / "s", rules()))
    assert not (tmp_path / "s").exists()


def test_workers_follow_the_processors_that_slurm_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    available = len(os.sched_getaffinity(0))
    assert default_workers() == available
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    assert default_workers() == 1
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "4096")
    assert default_workers() == available


def test_an_index_that_cannot_be_read_is_never_replaced(source: Path, store: Path) -> None:
    (store / "index.json").unlink()
    (store / "index.json").mkdir()
    with pytest.raises(CodecctlError, match=r"index\.json: cannot read: no regular file"):
        prepare(source, store, rules())
    assert (store / "index.json").is_dir()


def test_a_store_is_no_source(source: Path, store: Path) -> None:
    shutil.rmtree(source)
    for folder in (store, store.parent):
        with pytest.raises(DataError, match=r"s: a store, not recordings; train takes it as"):
            prepare(folder, store.parent / "t", rules())


def test_an_ingest_with_nothing_to_do_still_removes_what_a_killed_one_left(
    source: Path, store: Path
) -> None:
    leftover = store / "rec" / f".Beach.2.tmp-{socket.gethostname()}-{os.getppid()}"
    run(prepare(source, store, rules()))
    before = everything(store)
    leftover.write_bytes(b"half")
    assert run(prepare(source, store, rules())).stored == ()
    assert {name: before[name] for name in before if "." in name} == {
        name: state for name, state in everything(store).items() if "." in name
    }

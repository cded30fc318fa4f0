"""Ingests that write more than one store, or one store from more than one source."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest import Prepared, ingest, prepare
from codecctl.datasets.ingest_report import Report
from codecctl.datasets.ingest_survey import Rules
from codecctl.datasets.merge import run as run_merge
from codecctl.datasets.merge_plan import command_of, plan_shards, shard_folders
from codecctl.datasets.store import Store, read_index
from codecctl.errors import CodecctlError, UsageError


def write(
    path: Path, *, seconds: float = 1.0, channels: int = 1, rate: int = 16_000, seed: int = 0
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    soundfile.write(path, audio, rate, subtype="PCM_16")
    return path


def run(prepared: Prepared) -> Report:
    return ingest(prepared, num_workers=1, on_bytes=lambda _: None)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files, and a store of them at two rates."""
    folder = tmp_path_factory.mktemp("template")
    for number in range(4):
        write(folder / "yard" / f"{number}.wav", seconds=1 + number / 4, seed=number)
    run(prepare(folder / "yard", folder / "s", Rules((8000, None))))
    return folder


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A copy of the source and of its stores."""
    return Path(shutil.copytree(template, tmp_path / "home"))


@pytest.mark.long
def test_each_rate_has_a_store_of_its_own_from_one_pass(home: Path) -> None:
    alone = home / "alone"
    run(prepare(home / "yard", alone, Rules((8000,))))
    with Store.open(home / "s") as low, Store.open(home / "s-native") as high:
        assert (low.sample_rate, high.sample_rate) == (8000, 16_000)
        assert low.fingerprint == read_index(alone).fingerprint
        assert low.verify() == high.verify() == []
        assert {row.corpus for row in (*low.recordings, *high.recordings)} == {"yard"}


def test_a_second_run_reads_nothing_and_one_store_that_lacks_a_recording_gets_it(
    home: Path,
) -> None:
    rules = Rules((8000, None))
    again = run(prepare(home / "yard", home / "s", rules))
    assert ([store.stored for store in again.stores], again.source_bytes) == ([(), ()], 0)
    (home / "s-native" / "rec" / "2.h5").unlink()
    low = (home / "s" / "index.json").read_bytes()
    third = run(prepare(home / "yard", home / "s", rules))
    assert [store.stored for store in third.stores] == [(), ("2",)]
    assert third.source_bytes == (home / "yard" / "2.wav").stat().st_size
    assert (home / "s" / "index.json").read_bytes() == low


def test_stores_of_several_rates_need_the_space_of_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare(home / "yard", home / "t", Rules((8000, None)))
    (space,) = prepared.spaces
    assert space.needed == sum(store.target_bytes for store in prepared.plan.stores)
    usage = shutil.disk_usage(home)
    free = prepared.plan.stores[1].target_bytes + 10
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    with pytest.raises(CodecctlError, match="the disk has"):
        run(prepared)
    assert sorted(path.name for path in home.iterdir()) == ["s", "s-native", "yard"]


def test_a_pcm_store_keeps_every_integer_and_refuses_what_has_none(tmp_path: Path) -> None:
    source = tmp_path / "source"
    path = write(source / "a.wav", channels=3)
    soundfile.write(source / "b.wav", np.zeros(16_000), 16_000, subtype="FLOAT")
    soundfile.write(source / "c.ogg", np.zeros(16_000), 16_000)
    report = run(prepare(source, tmp_path / "s", Rules((None,), dtype="pcm")))
    assert report.stored == ("a",)
    assert [problem.path for problem in report.refused] == ["b.wav", "c.ogg"]
    assert all("--dtype float32" in problem.reason for problem in report.refused)
    expected, _ = soundfile.read(path, dtype="int16")
    with Store.open(tmp_path / "s") as store:
        assert (store.dtype, store.recording("a").dtype) == ("pcm", "pcm16")
        np.testing.assert_array_equal(store.read_integers("a", 0, 16_000, range(3)), expected.T)
    with pytest.raises(UsageError, match="holds 16000 Hz pcm, asked for 16000 Hz int16"):
        prepare(source, tmp_path / "s", Rules((None,)))


@pytest.mark.long
def test_parts_of_a_cluster_become_the_store_of_one_machine(home: Path) -> None:
    for number in (2, 1):
        rules = Rules((8000,), shard=(number, 2))
        report = run(prepare(home / "yard", home / "e", rules))
        assert len(report.stored) == 2
        again = prepare(home / "yard", home / "e", rules)
        assert run(again).source_bytes == 0
    run_merge(
        lambda: plan_shards(home, "e"),
        target=home / "e",
        command=command_of(["e"]),
        locked=shard_folders(home, "e"),
        on_bytes=lambda _: None,
    )
    assert read_index(home / "e").fingerprint == read_index(home / "s").fingerprint
    with Store.open(home / "e") as parts, Store.open(home / "s") as whole:
        for row in whole.recordings:
            np.testing.assert_array_equal(
                parts.read(row.name, 0, row.frames, [0]), whole.read(row.name, 0, row.frames, [0])
            )
    # What the whole has already is not done again by a part.
    plan = prepare(home / "yard", home / "e", Rules((8000,), shard=(1, 2))).plan
    assert (plan.jobs, len(plan.unchanged)) == ((), 2)


def test_a_file_that_no_part_can_take_is_an_error_of_one_of_them(home: Path) -> None:
    for name in ("bad.wav", "worse.wav"):
        (home / "yard" / name).touch()
    plans = [
        prepare(home / "yard", home / "e", Rules((8000,), shard=(number, 3))).plan
        for number in (1, 2, 3)
    ]
    assert [len(plan.refused) for plan in plans] == [1, 1, 0]


def test_a_part_without_files_is_complete_and_holds_nothing(home: Path) -> None:
    report = run(prepare(home / "yard", home / "e", Rules((8000,), shard=(9, 9))))
    assert report.recordings == {}
    assert [path.name for path in (home / "e.shard-9-of-9").iterdir()] == ["shard.json"]
    run(prepare(home / "yard", home / "e", Rules((8000,), shard=(9, 9))))


def test_a_second_corpus_joins_a_store_and_names_that_collide_say_whose_they_are(
    home: Path,
) -> None:
    write(home / "garden" / "0.wav", seed=9)
    write(home / "garden" / "new.wav", seed=8)
    (home / "garden" / "LICENSE").write_text("mine")
    report = run(prepare(home / "garden", home / "s", Rules((8000,))))
    assert report.stored == ("0-garden", "new")
    with Store.open(home / "s") as store:
        assert [row.name for row in store.recordings] == ["0", "0-garden", "1", "2", "3", "new"]
        assert [(row.id, row.licence) for row in store.corpora] == [
            ("garden", "see LICENSE"),
            ("yard", ""),
        ]
        assert store.recording("0-garden").corpus == "garden"
        assert store.source_folder == ""
    for folder in ("garden", "yard"):
        assert run(prepare(home / folder, home / "s", Rules((8000,)))).source_bytes == 0


def test_a_changed_table_changes_the_index_alone(home: Path) -> None:
    def described(text: str) -> dict[str, dict[str, str]]:
        (home / "yard" / "metadata.csv").write_text(f"Filename,Place\n{text}")
        prepared = prepare(home / "yard", home / "s", Rules((8000,)))
        assert run(prepared).source_bytes == 0
        return {name: dict(row) for name, row in read_index(home / "s").metadata.items()}

    files = {path.name: path.stat().st_mtime_ns for path in (home / "s" / "rec").iterdir()}
    assert described("0.wav,here\n1.wav,there\n") == {
        "0": {"Place": "here"},
        "1": {"Place": "there"},
    }
    index = (home / "s" / "index.json").stat().st_mtime_ns
    assert described("0.wav,here\n1.wav,there\n")["0"] == {"Place": "here"}
    assert (home / "s" / "index.json").stat().st_mtime_ns == index
    assert described("1.wav,elsewhere\n") == {"1": {"Place": "elsewhere"}}
    (home / "yard" / "metadata.csv").unlink()  # what is known is kept
    run(prepare(home / "yard", home / "s", Rules((8000,))))
    assert read_index(home / "s").metadata == {"1": {"Place": "elsewhere"}}
    assert {path.name: path.stat().st_mtime_ns for path in (home / "s" / "rec").iterdir()} == files


def test_a_source_that_differs_from_its_published_checksum_is_not_stored(home: Path) -> None:
    zeros = "0" * 32
    (home / "list").write_text(f"{zeros}  0.wav\n{zeros}  1.wav\n")
    write(home / "yard" / "1.wav", seed=1, seconds=2)  # not stored yet in this version
    (home / "s" / "rec" / "1.h5").unlink()
    report = run(prepare(home / "yard", home / "s", Rules((8000,), verify=str(home / "list"))))
    reasons = {problem.path: problem.reason for problem in report.refused}
    assert set(reasons) == {"0.wav", "1.wav"}
    assert all("published md5" in reason for reason in reasons.values())
    assert [row.name for row in read_index(home / "s").recordings] == ["0", "2", "3"]
    notes = prepare(home / "yard", home / "s", Rules((8000,), verify="auto")).notes
    assert notes == (
        "checksums are published for 0 of 4 files; none for 0.wav, 1.wav, 2.wav, 3.wav",
    )


def test_a_touched_file_without_a_stored_hash_is_refused_until_it_may_replace(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "source" / "a.wav")
    rules = Rules((8000,), source_hash="none")
    run(prepare(path.parent, tmp_path / "s", rules))
    assert read_index(tmp_path / "s").recordings[0].source_hash == ""
    assert prepare(path.parent, tmp_path / "s", rules).plan.unchanged == ("a",)
    write(path, seed=1)
    (problem,) = prepare(path.parent, tmp_path / "s", rules).plan.refused
    assert "was touched since it was stored as a without a hash; --replace" in problem.reason


@pytest.mark.long
def test_a_source_that_grows_stays_the_corpus_that_it_was(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source / "Beach-01-Raw.wav", channels=32)
    run(prepare(source, tmp_path / "s", Rules((8000,))))
    for number in range(3):
        write(source / f"{number}.wav")
    report = run(prepare(source, tmp_path / "s", Rules((8000,))))
    assert report.stored == ("0", "1", "2")
    index = read_index(tmp_path / "s")
    assert [corpus.id for corpus in index.corpora] == ["eigenscape"]
    assert {row.corpus for row in index.recordings} == {"eigenscape"}


@pytest.mark.parametrize("rate", [None, 4000])
def test_a_source_without_a_usable_file_changes_no_store(home: Path, rate: int | None) -> None:
    write(home / "short" / "a.wav", seconds=0.1)
    before = (home / "s" / "index.json").read_bytes()
    report = run(prepare(home / "short", home / "s", Rules((rate,))))
    assert (report.stored, len(report.recordings)) == ((), 4)
    assert (home / "s" / "index.json").read_bytes() == before

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.commands.data_ingest import ingest
from codecctl.errors import DataError, NotFoundError, UsageError


def write(path: Path, *, channels: int = 32, seconds: float = 1.0, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * 48_000), channels))
    soundfile.write(path, audio, 48_000, format="WAVEX", subtype="PCM_24")
    return path


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two recordings in a folder called EigenScape; the working folder is beside it."""
    write(tmp_path / "EigenScape" / "Busy Street" / "BusyStreet-01-Raw.wav")
    write(tmp_path / "EigenScape" / "Park" / "Park-06-Raw.wav", channels=25)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "EigenScape"


def test_the_summary_ends_with_the_next_command(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(source)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("stores/eigenscape: 2 recordings, ")
    assert "24000 Hz int16" in lines[0]
    assert lines[1].startswith("stored 2 (")
    assert "unchanged 0, left out 0, refused 0" in lines[1]
    assert lines[2] == "scenes: BusyStreet 1, Park 1"
    assert lines[-1] == "next: codecctl train --profile paired"
    assert "warning: Park/Park-06-Raw.wav: published fault of EigenScape" in err
    assert "channel counts differ: 1 of 32 ch, 1 of 25 ch" in err


@pytest.mark.long
def test_strict_turns_a_published_fault_into_an_error_after_the_work(
    source: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"--strict does not accept: Park/Park-06-Raw\.wav"):
        ingest(source, strict=True)
    assert (tmp_path / "stores" / "eigenscape" / "index.json").exists()


def test_a_dry_run_writes_nothing_and_counts_everything(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(source, dry_run=True, as_json=True)
    plan = json.loads(capsys.readouterr().out)
    assert plan["to_store"] == ["BusyStreet.1", "Park.6"]
    assert plan["source_bytes"] == sum(path.stat().st_size for path in source.rglob("*.wav"))
    assert plan["target_bytes"] == pytest.approx(57 * 48_000, rel=0.06)
    assert plan["free_bytes"] > 0
    ingest(source, dry_run=True)
    out = capsys.readouterr().out
    assert "to store 2, unchanged 0, writes 2.87 MB" in out
    assert "reads 8.21 MB once, writes 2.87 MB, free " in out
    assert "multichannel 2: Busy Street/BusyStreet-01-Raw.wav, Park/Park-06-Raw.wav" in out
    assert "time: about 1 s with" in out
    assert not (tmp_path / "stores").exists()


@pytest.mark.long
def test_json_names_every_file_that_was_not_stored(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "empty.wav").touch()
    write(source / "short.wav", seconds=0.5)
    with pytest.raises(DataError, match=r"1 file cannot be ingested: empty\.wav: empty file"):
        ingest(source, as_json=True)
    report = json.loads(capsys.readouterr().out)
    assert report["stored"] == ["BusyStreet.1", "Park.6"]
    assert [problem["path"] for problem in report["refused"]] == ["empty.wav"]
    assert [problem["path"] for problem in report["left_out"]] == ["short.wav"]
    assert [problem["path"] for problem in report["warnings"]] == ["Park/Park-06-Raw.wav"]
    assert (report["complete"], report["schema"]) == (True, 1)


@pytest.mark.long
def test_several_bad_files_are_listed_one_a_line(source: Path) -> None:
    (source / "a.wav").touch()
    (source / "b.wav").write_text("text")
    with pytest.raises(DataError) as caught:
        ingest(source)
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 files cannot be ingested:"
    assert lines[1].startswith("  a.wav: empty file")
    assert lines[2].startswith("  b.wav: not audio")


def test_only_short_files_make_no_store_and_say_which_option_takes_them(tmp_path: Path) -> None:
    path = write(tmp_path / "clip" / "Beach-01-Raw.wav", seconds=0.3)
    with pytest.raises(DataError, match=r"nothing to store; .*0\.3 s is shorter.*\(0 takes"):
        ingest(path.parent)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": "24000,fast"}, "needed rates of 1000 to 768000 Hz, or native"),
        ({"rate": "24000,24000"}, "needed each rate once"),
        ({"rate": "12"}, "--rate 12: needed rates"),
        ({"rate": "-5"}, "--rate -5"),
        ({"dtype": "int24"}, "--dtype int24: needed int16, float32 or pcm"),
        ({"dtype": "pcm", "rate": "24000"}, "needed --rate native"),
        ({"dtype": "pcm", "rate": "native,24000"}, "needed --rate native"),
        ({"reader": "sox"}, "--reader sox: needed auto or soundfile"),
        ({"source_hash": "md5"}, "--source-hash md5: needed xxh3, sha256 or none"),
        ({"shard": "3/2"}, "--shard 3/2: needed I/N"),
        ({"name": "e.shard-1-of-2"}, "names a part; needed the whole"),
        ({"name": "a/b"}, "--name 'a/b': needed letters"),
        ({"name": ".hidden"}, "needed letters"),
    ],
)
def test_options_that_mean_nothing_are_usage_errors(
    source: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        ingest(source, **options)  # type: ignore[arg-type]  # every one of these takes text


def test_a_missing_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file or folder"):
        ingest(tmp_path / "missing")


@pytest.mark.long
def test_another_rate_suggests_to_look_at_the_store(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(source, name="e-native", rate="native")
    assert capsys.readouterr().out.splitlines()[-1] == "next: codecctl data info e-native"


@pytest.mark.long
def test_several_rates_are_shown_one_a_line_and_by_name_in_json(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(source, rate="24000,native", name="e")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stores/e: 2 recordings, ")
    assert lines[0].endswith(", 2 new")
    assert lines[1].startswith("stores/e-native: 2 recordings, ")
    assert "48000 Hz int16" in lines[1]
    assert lines[2].startswith("stored 4 (8.21 MB in ")
    assert lines[-1] == "next: codecctl train --profile paired data.store=e"
    ingest(source, rate="24000,native", name="e", as_json=True)
    report = json.loads(capsys.readouterr().out)
    assert [store["store"] for store in report["stores"]] == ["stores/e", "stores/e-native"]
    assert [store["sample_rate"] for store in report["stores"]] == [24_000, 48_000]


@pytest.mark.long
def test_licence_and_citation_of_a_known_corpus_are_shown(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(source)
    out = capsys.readouterr().out
    assert "corpus: EigenScape by the names of its files (--corpus NAME says otherwise)" in out
    assert "licence: CC BY 4.0, https://doi.org/10.5281/zenodo.1012808" in out
    assert "cite: Green and Murphy, EigenScape: A Database" in out


def test_a_part_names_the_command_that_joins_all(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(source, shard="1/2")
    assert capsys.readouterr().out.splitlines()[-1] == (
        "next: codecctl data merge eigenscape (when all 2 parts are stored)"
    )
    ingest(source, shard="5/5")  # more parts than files
    assert "stores/eigenscape.shard-5-of-5: 0 recordings" in capsys.readouterr().out
    assert not (tmp_path / "stores" / "eigenscape").exists()


def test_a_dry_run_lists_every_file_by_its_channels(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(source / "mono.wav", channels=1)
    write(source / "stereo.wav", channels=2)
    (source / "notes.txt").touch()
    ingest(source, dry_run=True, as_json=True, jobs=1)
    plan = json.loads(capsys.readouterr().out)
    assert plan["channels"] == {
        "mono": ["mono.wav"],
        "stereo": ["stereo.wav"],
        "multichannel": ["Busy Street/BusyStreet-01-Raw.wav", "Park/Park-06-Raw.wav"],
    }
    assert (plan["not_audio"], plan["hidden"]) == (1, 0)
    assert plan["estimate"]["measured_on"] == "Busy Street/BusyStreet-01-Raw.wav"
    assert plan["estimate"]["seconds"] > 0
    (disk,) = plan["disks"]
    assert disk["needed_bytes"] == plan["target_bytes"]
    assert isinstance(disk["quota_known"], bool)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.discovery import discover
from codecctl.datasets.ingest_survey import Rules, Survey, missing, survey
from codecctl.datasets.naming import Place
from codecctl.errors import DataError


def write(path: Path, channels: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros((100, channels)), 16_000, subtype="PCM_16")


def look(folder: Path, **options: object) -> Survey:
    rules = Rules(min_seconds=0, **options)  # type: ignore[arg-type]  # each test gives its own
    return survey(discover(folder), rules)


def reasons(found: Survey) -> dict[str, str]:
    return {problem.path: problem.reason for problem in found.warnings}


def test_two_products_of_a_take_are_one_warning_however_many_there_are(tmp_path: Path) -> None:
    for take in (1, 2):
        write(tmp_path / f"Beach-0{take}-Raw.wav", 32)
        write(tmp_path / f"Beach.{take}.wav", 25)
    found = reasons(look(tmp_path))
    assert list(found) == ["Beach.1.wav"]
    assert (
        "the take of Beach-01-Raw.wav as ambisonics: 2 takes are here in both"
        in (found["Beach.1.wav"])
    )


def test_several_spellings_of_one_product_are_one_warning(tmp_path: Path) -> None:
    for name in ("Beach-01-Raw.wav", "Beach-02-Raw.wav", "Beach-03.wav"):
        write(tmp_path / name, 32)
    (reason,) = reasons(look(tmp_path)).values()
    assert reason == (
        "EigenScape spells its files in 2 ways here: Beach-01-Raw.wav, Beach-03.wav; all are "
        "understood"
    )


def test_park_is_explained_in_both_directions_and_its_names_are_no_further_fault(
    tmp_path: Path,
) -> None:
    write(tmp_path / "Park-05-Raw.wav", 32)
    write(tmp_path / "Park-06-Raw.wav", 25)
    write(tmp_path / "Park.8.wav", 32)
    found = reasons(look(tmp_path))
    assert set(found) == {"Park-06-Raw.wav", "Park.8.wav"}
    assert all("published fault of EigenScape" in reason for reason in found.values())
    assert reasons(look(tmp_path, corpus="ours")) == {
        "Park-06-Raw.wav": ("the name says raw, which is 32 channels; stored as ambisonic-ACN-SN3D")
    }


def test_missing_takes_count_what_the_store_has_and_concern_eigenscape_alone(
    tmp_path: Path,
) -> None:
    write(tmp_path / "Beach-01-Raw.wav", 32)
    found = look(tmp_path)
    assert missing(found, []).startswith("63 of the 64 takes of EigenScape are not here: Beach 2-8")
    assert missing(found, [Place("Beach", "2", raw=False)]).startswith("62 of the 64")
    assert missing(look(tmp_path, corpus="ours"), []) == ""


def test_a_damaged_table_stops_the_ingest_only_where_the_user_named_it(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 1)
    table = tmp_path / "Metadata.csv"
    table.write_text("nothing\n")
    found = look(tmp_path)
    assert found.rows is None
    assert reasons(found)["Metadata.csv"].startswith("no metadata is joined: ")
    with pytest.raises(DataError, match="needed one Filename"):
        look(tmp_path, metadata=table)


def test_rows_and_recordings_that_find_no_partner_are_said(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write(tmp_path / name, 1)
    (tmp_path / "Metadata.csv").write_text("Filename,x\na.wav,1\nz.wav,2\n")
    assert look(tmp_path).notes == (
        "Metadata.csv: describes 1 of 2 recordings",
        "Metadata.csv: no recording for z.wav",
        "Metadata.csv: no row for b.wav",
    )


def test_checksums_beside_the_audio_are_offered_and_compared_on_request(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 1)
    (tmp_path / "MD5SUMS").write_text(f"{'0' * 32}  a.wav\n")
    offered = look(tmp_path)
    assert offered.expected == {}
    assert offered.notes == (
        "checksums are published for 1 of 1 files: --verify-source auto compares",
    )
    assert look(tmp_path, verify="auto").expected == {"a.wav": "md5:" + "0" * 32}
    (tmp_path / "MD5SUMS").write_text("nothing\n")
    assert "its checksums are not used" in reasons(look(tmp_path, verify="auto"))["MD5SUMS"]
    with pytest.raises(DataError, match="line 1: needed a checksum"):
        look(tmp_path, verify=str(tmp_path / "MD5SUMS"))

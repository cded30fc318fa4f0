from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from codecctl.datasets.metadata import Described, find_table, join, read_table
from codecctl.datasets.naming import place
from codecctl.errors import DataError, NotFoundError

HEADER = "Filename,Class,Location,Time,Date,Additional Information"


def table(folder: Path, text: str | bytes, name: str = "Metadata-EigenScape.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def described(*paths: str) -> list[Described]:
    return [Described(f"name of {path}", path, place(PurePosixPath(path))) for path in paths]


def test_the_published_spelling_belongs_to_both_products(tmp_path: Path) -> None:
    text = f"{HEADER}\nBeach-01.wav,Beach,Bridlington Beach,10:42,09/05/2017,\n"
    rows = read_table(table(tmp_path, text))
    joined = join(rows, described("Beach/Beach-01-Raw.wav", "Beach.1.wav", "Beach-02-Raw.wav"))
    expected = {
        "Class": "Beach",
        "Location": "Bridlington Beach",
        "Time": "10:42",
        "Date": "09/05/2017",
    }
    assert joined.metadata == {
        "name of Beach/Beach-01-Raw.wav": expected,
        "name of Beach.1.wav": expected,
    }
    assert (joined.unused, joined.without) == ((), ("Beach-02-Raw.wav",))


def test_the_closest_name_wins_and_rows_without_a_recording_are_said(tmp_path: Path) -> None:
    text = "place,Filename\nby path,a/x.wav\nby name,y.wav\nby stem,z\nnobody,q.wav\n"
    rows = read_table(table(tmp_path, text))
    joined = join(rows, described("a/x.wav", "b/Y.WAV", "c/z.flac", "w.wav"))
    assert {name[-5:]: row["place"] for name, row in joined.metadata.items()} == {
        "x.wav": "by path",
        "Y.WAV": "by name",
        ".flac": "by stem",
    }
    assert (joined.unused, joined.without) == (("q.wav",), ("w.wav",))


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffFilename,Where\r\na.wav,Strand süd\r\n".encode(),
        "Filename,Where\na.wav,Strand süd\n".encode("latin-1"),
        'Filename;Where\n"a.wav";Strand süd\n'.encode(),
        "FILE NAME\tWhere\n\na.wav\t Strand süd \n".encode(),
    ],
)
def test_encodings_line_ends_and_delimiters_of_spreadsheets_are_read(
    tmp_path: Path, data: bytes
) -> None:
    (row,) = read_table(table(tmp_path, data))
    assert (row.filename, dict(row.values)) == ("a.wav", {"Where": "Strand süd"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found the columns none"),
        ("Name,Where\na,b\n", "found the columns Name, Where; needed one Filename"),
        ("Filename\na.wav\n", "needed one Filename and 1 to 63 others"),
        ("Filename,a,a\nx,1,2\n", "two columns of one name"),
        ("Filename,a\nx.wav,1,2\n", "line 2: found 3 fields, needed 2; quote"),
        ("Filename,a\n,1\n", "line 2: no file name"),
        ("Filename,a\nx.wav,1\nX.wav,2\n", "line 3: X.wav has other values in line 2"),
        ("Filename,a\nx.wav,\0\n", "found bytes of zero"),
        (f"Filename,a\nx.wav,{'y' * 9000}\n", "line 2: a field of more than 8192 letters"),
        (f"Filename,a\nx.wav,{'y' * 140_000}\n", "line 2: no CSV"),
        ("Filename," + ",".join(map(str, range(70))), "needed one Filename and 1 to 63 others"),
    ],
)
def test_what_is_no_such_table_is_named_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_table(table(tmp_path, text))


def test_rows_may_leave_the_last_columns_out_and_repeat_themselves(tmp_path: Path) -> None:
    rows = read_table(table(tmp_path, "Filename,a,b\nx.wav,1\nx.wav,1,\ny.wav,,2,\n"))
    assert [dict(row.values) for row in rows] == [{"a": "1"}, {"b": "2"}]


def test_a_huge_or_missing_table_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such table"):
        read_table(tmp_path / "x.csv")
    path = table(tmp_path, "")
    with path.open("wb") as file:
        file.truncate(1 << 25)
    with pytest.raises(DataError, match="needed a table of 16777216 at most"):
        read_table(path)


def test_the_highest_table_called_metadata_is_found() -> None:
    paths = [PurePosixPath(name) for name in ("a/metadata.csv", "list.csv", "METADATA-x.CSV")]
    assert find_table(Path("/data"), paths) == Path("/data/METADATA-x.CSV")
    assert find_table(Path("/data"), paths[1:2]) is None

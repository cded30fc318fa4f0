from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

from codecctl.engine.rows import (
    JsonlTail,
    Row,
    RowWriter,
    comparable,
    decode_row,
    encode_row,
    last_rows,
    latest_rows,
    number,
    read_last_rows,
    read_rows,
)


def test_values_that_json_has_no_word_for_survive_as_strings() -> None:
    line = encode_row({"a": math.nan, "b": math.inf, "c": [-math.inf], "d": 0.1})

    assert line == b'{"a":"NaN","b":"Infinity","c":["-Infinity"],"d":0.1}\n'
    row = decode_row(line)
    assert row is not None
    value = number(row["a"])
    assert value is not None
    assert math.isnan(value)
    assert number(row["b"]) == math.inf
    assert number(row["d"]) == 0.1


def test_a_word_or_a_truth_value_is_no_number() -> None:
    assert number("train") is None
    assert number(True) is None
    assert number(None) is None


def test_an_integer_that_no_float_holds_is_infinite() -> None:
    assert number(10**400) == math.inf
    assert number(-(10**400)) == -math.inf


def test_of_rows_with_one_step_and_split_the_later_one_counts() -> None:
    rows: list[dict[str, object]] = [
        {"step": 1, "split": "train", "x": 1},
        {"step": 2, "split": "train", "x": 2},
        {"step": 2, "split": "val", "x": 3},
        {"step": 2, "split": "train", "x": 4},
    ]

    assert [(row["step"], row["split"], row["x"]) for row in latest_rows(rows)] == [
        (1, "train", 1),
        (2, "train", 4),
        (2, "val", 3),
    ]


def test_a_row_with_a_list_or_an_object_in_its_key_is_left_out() -> None:
    row: dict[str, object] = {"step": 1, "split": "train"}
    assert latest_rows([{"step": [1], "split": "train"}, row, {"step": 1, "split": {}}]) == [row]


def test_rows_are_compared_without_seconds_and_rates() -> None:
    row = decode_row(
        b'{"step":1,"seconds":2.0,"time":1.8e9,"audio_seconds":8.0,"speed/step_seconds":1,"memory/cpu_mb":9,"x":3}'
    )
    assert row is not None
    assert comparable(row) == {"step": 1, "audio_seconds": 8.0, "x": 3}


def test_a_torn_last_line_does_not_swallow_the_next_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2,"lo')

    writer = RowWriter(path)
    writer.append({"step": 2})
    writer.close()

    assert read_rows(path) == [{"step": 1}, {"step": 2}]


def test_the_tail_gives_each_row_once_and_waits_for_the_rest_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    tail = JsonlTail(path)
    assert tail.read() == []

    path.write_bytes(b'{"step":1}\n{"st')
    assert tail.read() == [{"step": 1}]
    with path.open("ab") as file:
        file.write(b'ep":2}\nnot json\n[1]\n')
    assert tail.read() == [{"step": 2}]
    assert tail.read() == []
    assert tail.generation == 0


def test_the_tail_starts_over_when_the_file_shrinks_or_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2}\n')
    tail = JsonlTail(path)
    tail.read()

    path.write_bytes(b'{"step":9}\n')
    assert tail.read() == [{"step": 9}]
    assert tail.generation == 1

    beside = tmp_path / "other"
    beside.write_bytes(b'{"step":1}\n{"step":2}\n')
    beside.replace(path)
    assert tail.read() == [{"step": 1}, {"step": 2}]
    assert tail.generation == 2


def test_the_tail_can_begin_behind_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2}\n')
    tail = JsonlTail(path, start=11)
    assert tail.read() == [{"step": 2}]
    assert tail.generation == 0


def test_a_long_file_comes_in_pieces_of_the_asked_size(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(encode_row({"step": step}) for step in range(100)))
    tail = JsonlTail(path)

    rows = []
    while new := tail.read(max_bytes=64):
        rows += new
    assert [row["step"] for row in rows] == list(range(100))


def test_the_last_rows_leave_out_the_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(encode_row({"step": step}) for step in range(100)))

    rows = read_last_rows(path, max_bytes=30)
    assert [row["step"] for row in rows] == [98, 99]
    assert read_last_rows(tmp_path / "missing") == []


def test_a_file_that_may_not_grow_is_one_clear_error(tmp_path: Path) -> None:
    code = (
        "import pathlib, resource, signal\n"
        "from codecctl.engine.rows import RowWriter\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))\n"
        f"writer = RowWriter(pathlib.Path({str(tmp_path / 'rows.jsonl')!r}))\n"
        "writer.append({'step': 1, 'text': '0123456789'})\n"
        "writer.append({'step': 2, 'text': '0123456789'})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1].endswith(
        "rows.jsonl: disk full; free some space and use --resume"
    )
    assert read_rows(tmp_path / "rows.jsonl") == [{"step": 1, "text": "0123456789"}]


def test_the_row_of_each_split_that_was_written_last_is_found(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    rows: list[Row] = [{"step": step, "split": "train", "loss/mel": 1.0} for step in range(5000)]
    rows.insert(100, {"step": 100, "split": "val", "val/mel": 0.5})
    rows.append({"step": 4000, "split": "train", "note": 'after a resume, says "val"'})
    path.write_bytes(b"".join(map(encode_row, rows)) + b'{"step":4001,"split":"tr')

    assert path.stat().st_size > 200_000
    assert last_rows(path) == {"train": rows[-1], "val": rows[100]}
    assert last_rows(path, max_bytes=100_000) == {"train": rows[-1]}
    assert last_rows(path, ["val"]) == {"val": rows[100]}
    assert last_rows(path, ["test"]) == {}
    assert last_rows(tmp_path / "missing") == {}


def test_the_first_line_of_a_file_is_found_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    row: Row = {"step": 0, "split": "val", "words": "x" * 100_000}
    path.write_bytes(encode_row(row) + b"[]\n\n\xff\n")
    assert last_rows(path) == {"val": row}


def test_a_line_nested_beyond_all_bounds_is_foreign(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    row: Row = {"step": 1, "split": "val"}
    path.write_bytes(encode_row(row) + b'{"split":"val","x":' + b"[" * 200_000 + b"\n")
    assert last_rows(path) == {"val": row}
    assert read_last_rows(path) == [row]

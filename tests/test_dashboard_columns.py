"""Lines as columns: the same rows as line by line, whatever the lines are."""

from __future__ import annotations

import json
import math
import random

import pytest

from codecctl.dashboard.columns import parse_lines
from codecctl.engine.rows import Row, decode_row, encode_row, number


def rows_of(lines: list[bytes]) -> dict[int, Row]:
    """The rows as blocks hold them, by line."""
    return {
        int(line): {**block.words, **dict(zip(block.names, values, strict=True))}
        for block in parse_lines(lines)
        for line, values in zip(block.lines, block.numbers.tolist(), strict=True)
    }


def expected(lines: list[bytes]) -> dict[int, Row]:
    """The same rows, an object for each line."""
    found: dict[int, Row] = {}
    for index, line in enumerate(lines):
        row = decode_row(line)
        if row is not None:
            values = {name: number(value) for name, value in row.items()}
            numbers: Row = {name: value for name, value in values.items() if value is not None}
            words = {k: v for k, v in row.items() if isinstance(v, str) and values[k] is None}
            found[index] = numbers | words
    return found


def same(found: dict[int, Row], wanted: dict[int, Row]) -> bool:
    """Equality in which NaN equals NaN."""
    return repr(sorted((i, sorted(row.items())) for i, row in found.items())) == repr(
        sorted((i, sorted(row.items())) for i, row in wanted.items())
    )


def test_rows_of_one_kind_make_one_block() -> None:
    lines = [
        encode_row({"step": step, "split": "train", "a": step / 3, "b": -1e-9}).rstrip()
        for step in range(5)
    ]
    (block,) = parse_lines(lines, 100)
    assert block.lines.tolist() == [100, 101, 102, 103, 104]
    assert block.words == {"split": "train"}
    assert block.names == ("step", "a", "b")
    assert block.numbers[:, 1].tolist() == [step / 3 for step in range(5)]


def test_values_that_are_not_finite_cost_no_block_of_their_own() -> None:
    values = (1.0, math.nan, math.inf, -math.inf)
    lines = [encode_row({"step": step, "a": value}).rstrip() for step, value in enumerate(values)]
    (block,) = parse_lines(lines)
    assert repr(block.numbers[:, 1].tolist()) == "[1.0, nan, inf, -inf]"


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":"b","x":1}',  # the same strings as of the next one, with another meaning
        b'{"a":1,"b":"x"}',
        b'{"a"1:2}',
        b'5{"a":1}',
        b'{"a":1}5',
        b'{"a":"x"1}',
        b'{"a":s"b","x":1}',
        b'{"a":1,2}',
        b'{"a":1,,"b":2}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":1-2}',
        b'{"a":.5}',
        b'{"a":NaN}',
        b'{"a":1',
        b'"a":1}',
        b'{"a":true,"b":null}',
        b'{"a":[1,2],"b":{"c":3}}',
        b'{"a":1,"a":2}',
        b'{ "a": 1 }',
        b'{"a\\"":1}',
        b'{"NaN":"NaN"}',
        b'{"a":"Infinity and more"}',
        b"{}",
        b"[1]",
        b"7",
        b"\xff{",
        b'{"\xc3\xa9":1}',
    ],
)
@pytest.mark.parametrize("first", [b'{"a":"b","x":2}', b'{"a":1}', b'{"a":"x","b":3}'])
def test_a_line_is_what_it_is_to_json_whatever_stands_beside_it(line: bytes, first: bytes) -> None:
    for lines in ([first, line, first], [line, first, line]):
        assert same(rows_of(lines), expected(lines))


def test_damaged_rows_are_read_as_line_by_line() -> None:
    chance = random.Random(7)
    whole = [
        json.dumps({"step": i, "split": chance.choice(["train", "val"]), "a": i / 7, "b": "NaN"},
                   separators=(",", ":")).encode()
        for i in range(40)
    ]  # fmt: skip
    for _ in range(300):
        lines = list(whole)
        for _ in range(5):
            index = chance.randrange(len(lines))
            line = bytearray(lines[index])
            place = chance.randrange(len(line))
            line[place : place + chance.randrange(3)] = chance.choice(
                [b"", b'"', b"}", b"{", b",", b":", b"9", b"s", b"NaN", b"e", b"-", b"\\"]
            )
            lines[index] = bytes(line)
        assert same(rows_of(lines), expected(lines))


def test_a_number_that_no_float_holds_is_infinite() -> None:
    lines = [b'{"step":1,"a":1' + b"0" * 400 + b"}", b'{"step":2,"a":-1' + b"0" * 400 + b"}"]
    assert [row["a"] for row in rows_of(lines).values()] == [math.inf, -math.inf]

"""Parsing beside the dashboard: the same rows, and none lost when the process is."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import numpy as np
import pytest

from codecctl.dashboard.columns import Block, parse_lines
from codecctl.dashboard.parsing import Parser
from codecctl.engine.rows import encode_row


@pytest.fixture
def parser() -> Iterator[Parser]:
    parser = Parser()
    yield parser
    parser.close()


def lines_of(count: int) -> list[bytes]:
    rows = ({"step": i, "split": "train", "loss": i / 7, "pad": "x" * 60} for i in range(count))
    return [*(encode_row(row).rstrip() for row in rows), b'{"torn', b'{"step":1,"loss":"NaN"}']


def process_of(parser: Parser) -> subprocess.Popen[bytes]:
    """The process, once it answers."""
    end = time.monotonic() + 60
    while not parser._is_ready:
        assert time.monotonic() < end, "the process does not start"
        parser.parse(lines_of(1000))
    assert parser._process is not None
    return parser._process


def same(found: list[Block], wanted: list[Block]) -> bool:
    assert len(found) == len(wanted)
    for block, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(block.lines, other.lines)
        np.testing.assert_array_equal(block.numbers, other.numbers)
        assert (block.words, block.names) == (other.words, other.names)
    return True


def test_rows_are_those_of_this_process_before_and_after_the_other_one_answers(
    parser: Parser,
) -> None:
    lines = lines_of(1000)
    assert same(parser.parse(lines, 5), parse_lines(lines, 5))
    process_of(parser)
    assert same(parser.parse(lines, 5), parse_lines(lines, 5))


def test_few_lines_start_no_process(parser: Parser) -> None:
    assert same(parser.parse(lines_of(10)), parse_lines(lines_of(10)))
    assert parser._process is None


def test_a_process_that_is_killed_is_done_without(parser: Parser) -> None:
    process = process_of(parser)
    process.kill()
    process.wait()
    lines = lines_of(1000)
    for _ in range(2):
        assert same(parser.parse(lines, 5), parse_lines(lines, 5))
    assert parser._process is None  # and not started again


def test_the_process_ends_with_its_input(parser: Parser) -> None:
    process = process_of(parser)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0


def test_nothing_is_left_after_the_end(parser: Parser) -> None:
    process = process_of(parser)
    parser.close()
    assert process.returncode is not None
    lines = lines_of(1000)
    assert same(parser.parse(lines), parse_lines(lines))
    assert parser._process is None

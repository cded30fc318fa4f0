from __future__ import annotations

import io
import sys

import pytest
from rich.text import Text

from codecctl.terminal import screen, shortened, table_lines, write


def test_without_a_terminal_nothing_is_styled(capsys: pytest.CaptureFixture[str]) -> None:
    write([Text("loud  ", style="bold red"), "plain"])
    assert capsys.readouterr().out == "loud\nplain\n"
    assert not screen().colors
    assert screen(97).width == 97


def test_colors_can_be_forced_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert screen().colors
    monkeypatch.setenv("NO_COLOR", "1")
    assert not screen().colors
    assert not screen().styles


def test_a_terminal_without_unicode_gets_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write(["a▁█ ░▒ ⣿⠀· –"])
    sys.stdout.flush()
    assert raw.getvalue() == b"a_# .: * . -\n"


def test_columns_are_aligned() -> None:
    rows = [["name", "n"], ["a", "10"], ["long name", "7"]]
    assert table_lines(rows, right=(1,)) == ["name        n", "a          10", "long name   7"]


def test_long_lists_say_how_many_more_there_are() -> None:
    assert shortened(["1", "2", "3"], 4) == "1, 2 and 1 more"

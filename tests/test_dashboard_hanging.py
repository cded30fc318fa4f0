"""Long lines go on below their words."""

from __future__ import annotations

import io

from rich.console import Console

from codecctl.dashboard.hanging import hanging


def printed(*lines: str, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(hanging(lines))
    return [line.rstrip() for line in capture.get().split("\n")][:-1]


def test_a_line_goes_on_below_the_words_behind_its_first_one() -> None:
    lines = printed("clean: all of it", "", "  note     three words more", "    below", width=22)
    assert lines == [
        "clean: all of it",
        "",
        "  note     three words",
        "           more",
        "    below",
    ]


def test_what_fits_stays_as_it_is_and_brackets_are_text() -> None:
    text = ["Beach.1 [bold]", "  error    channel 3: dead", "           replace it"]
    assert printed(*text, width=60) == text

"""Colors and letters of runs."""

from __future__ import annotations

from codecctl.dashboard.canvas import Ink, curve_ink, raw_ink
from codecctl.dashboard.colors import NUM_COLORS, ColorBook, inks


def test_a_name_has_the_same_color_in_every_session() -> None:
    first, second = ColorBook(), ColorBook()
    assert first.color("paired-a") == second.color("paired-a")
    first.assign(["x", "y", "z"])
    second.assign(["z", "y", "x"])
    assert [first.color(n) for n in "xyz"] == [second.color(n) for n in "xyz"]


def test_no_color_is_used_twice_while_others_are_free() -> None:
    book = ColorBook()
    names = [f"run-{number}" for number in range(2 * NUM_COLORS)]
    book.assign(names)
    used = [book.color(name) for name in names]
    assert sorted(used) == sorted([*range(NUM_COLORS)] * 2)


def test_a_new_run_leaves_the_colors_and_letters_of_others_alone() -> None:
    book = ColorBook()
    book.assign(["b", "c"])
    before = [(book.color(name), book.letter(name)) for name in "bc"]
    book.assign(["a", "b", "c"])
    assert [(book.color(name), book.letter(name)) for name in "bc"] == before
    assert [book.letter(name) for name in "bca"] == ["A", "B", "C"]


def test_the_terminal_palette_has_no_color_of_ours() -> None:
    for dark in (True, False):
        for style in inks(ansi=True, dark=dark).styles:
            assert style.color is None or style.color.triplet is None


def test_average_and_raw_values_differ_in_every_palette() -> None:
    for ansi in (True, False):
        for dark in (True, False):
            book = inks(ansi=ansi, dark=dark)
            for color in range(NUM_COLORS):
                assert book.style(curve_ink(color)) != book.style(raw_ink(color))
            assert book.style(Ink.ALERT).bold

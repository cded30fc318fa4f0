"""Whole charts as characters."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from codecctl.dashboard.axis import Array, XAxis, steady
from codecctl.dashboard.canvas import Canvas, Ink, curve_ink, raw_ink
from codecctl.dashboard.plot import Curve, View, draw, nearest, visible_window
from codecctl.dashboard.raster import BRAILLE


def line(
    values: Array, *, color: int = 0, letter: str = "", smoothed: Array | None = None
) -> Curve:
    return Curve(np.arange(float(values.size)), values, smoothed, color, letter)


def text(canvas: Canvas) -> str:
    return "\n".join(canvas.rows())


def test_a_whole_chart_looks_like_this() -> None:
    canvas = draw("loss/mel", [line(np.linspace(1.0, 0.0, 101))], view=View(), width=30, height=6)
    assert text(canvas).split("\n") == [
        "loss/mel                     0",
        "1┤⠙⠒⠲⠤⢤⣀⣀┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈",
        " │      ⠈⠉⠓⠒⠦⠤⣄⣀              ",
        " │             ⠈⠉⠙⠒⠲⠤⢤⣀⡀      ",
        "0┤┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈⠉⠉⠓⠒⠦⠤⣄",
        "  0           50          step",
    ]


def test_a_value_that_is_not_finite_gets_a_red_mark_above_a_gap() -> None:
    values = np.full(50, 0.5)
    values[20:30] = [math.nan, math.inf, -math.inf, *[math.nan] * 7]
    canvas = draw("loss", [line(values)], view=View(), width=60, height=8)
    row = next(canvas.rows())
    marked = np.argwhere(canvas.inks == Ink.ALERT)
    assert set(marked[:, 0].tolist()) == {1}
    assert {chr(int(canvas.codes[r, c])) for r, c in marked} == {"×"}
    span = 60 - canvas.left
    columns = marked[:, 1] - canvas.left
    assert (columns.min(), columns.max()) == (20 * span // 49, 29 * span // 49)
    drawn = (canvas.inks == curve_ink(0))[1:-1, canvas.left :].any(axis=0)
    assert not drawn[20 * span // 49 : 29 * span // 49].any()
    assert drawn[: 19 * span // 49].all()
    assert drawn[-(19 * span // 49) :].all()
    assert row.endswith("0.5")


def test_a_stage_begins_at_an_upright_line_behind_the_curve() -> None:
    plain = line(np.linspace(1.0, 0.0, 101))
    marked = replace(plain, marks=((50.0, "adversarial"), (500.0, "never")))
    canvas = draw("loss", [marked], view=View(), width=40, height=8)
    column = canvas.left + int(0.5 * (40 - canvas.left))
    rows = list(canvas.rows())
    assert sum(row[column] == "┊" for row in rows) == 5  # of six; the curve passes in front
    assert rows[1][column : column + 12] == "┊adversarial"
    assert "never" not in text(canvas)
    drawn = canvas.inks == curve_ink(0)
    assert (
        drawn == (draw("loss", [plain], view=View(), width=40, height=8).inks == curve_ink(0))
    ).all()


def test_only_broken_values_still_make_a_chart() -> None:
    canvas = draw("loss", [line(np.full(5, math.nan))], view=View(), width=40, height=8)
    assert "×" in text(canvas)
    assert "NaN" in text(canvas)


def test_a_logarithmic_axis_makes_an_exponential_straight() -> None:
    curve = line(10.0 ** -np.linspace(0, 3, 61))
    canvas = draw("loss", [curve], view=View(), width=40, height=10, log=True)
    assert [row[: canvas.left].strip(" ┤│") for row in canvas.rows() if "┤" in row] == [
        "1",
        "0.1",
        "0.01",
        "0.001",
    ]
    rows = [np.flatnonzero(row == curve_ink(0)) for row in canvas.inks[1:-1]]
    middles = [float(cells.mean()) for cells in rows]
    np.testing.assert_allclose(np.diff(middles), np.diff(middles).mean(), atol=1.0)


def test_what_has_no_logarithm_is_left_out_of_a_logarithmic_chart() -> None:
    curve = line(np.array([1.0, 0.0, -1.0, 10.0]))
    window = visible_window([curve], View(), log=True)
    assert window is not None
    assert (window.y_low, window.y_high) == pytest.approx((0.0, 1.0))


def test_raw_values_stand_dimmed_behind_the_average() -> None:
    values = np.tile([0.0, 1.0], 50)
    curve = line(values, smoothed=np.full(100, 0.5))
    canvas = draw("loss", [curve], view=View(), width=40, height=8)
    assert (canvas.inks == raw_ink(0)).any()
    front = np.argwhere(canvas.inks[1:-1] == curve_ink(0))
    assert len(set(front[:, 0].tolist())) == 1
    assert front.shape[0] == 40 - canvas.left


def test_two_runs_have_their_own_ink_and_letter() -> None:
    curves = [line(np.zeros(5), letter="A"), line(np.ones(5), color=2, letter="B")]
    canvas = draw("loss", curves, view=View(), width=40, height=8)
    assert next(canvas.rows()).endswith("A 0 B 1")
    assert {curve_ink(0), curve_ink(2)} <= set(canvas.inks.flat)


def test_a_long_name_leaves_room_for_the_value_of_every_run() -> None:
    curves = [line(np.full(5, 0.25), letter="A"), line(np.full(5, 0.5), color=2, letter="B")]
    name = "val/array/apart/coherence_error"
    title = next(draw(name, curves, view=View(), width=39, height=8).rows())
    assert title.startswith("…/apart/coherence_error ")
    assert title.endswith(" A 0.25 B 0.5")
    wide = next(draw(name, curves, view=View(), width=44, height=8).rows())
    assert wide == f"{name} A 0.25 B 0.5"


def test_the_crosshair_reads_off_every_run_at_the_same_place() -> None:
    curves = [
        line(np.arange(10.0), letter="A"),
        line(np.arange(5.0) * 10, color=1, letter="B"),
    ]
    canvas = draw("loss", curves, view=View(cursor=3.2), width=50, height=8)
    assert next(canvas.rows()).endswith("@3 A 3 B 30")
    assert (canvas.inks == Ink.CURSOR).sum() >= 4
    beyond = draw("loss", curves, view=View(cursor=8.0), width=50, height=8)
    assert next(beyond.rows()).endswith("@8 A 8 B -")


@pytest.mark.parametrize("log", [False, True])
def test_a_nearly_constant_series_has_readable_marks_and_exact_values(log: bool) -> None:
    values = 4 + np.array([0.0, 1.2e-5, 3e-6, 1e-6])
    view = View(cursor=1.0)
    canvas = draw("loss", [line(values)], view=view, width=40, height=10, log=log)
    rows = list(canvas.rows())
    assert rows[0].endswith("@1 4.000012")
    marks = [row.partition("┤")[0].strip() for row in rows if "┤" in row]
    assert marks == ["+1e-5", "+5e-6", "4"]
    assert canvas.left == len("+1e-5") + 1
    below = next(row for row in rows if "4┤" in row)
    assert not any(mark in below for mark in "┊×")


def test_zooming_in_adapts_the_vertical_range_to_what_is_visible() -> None:
    window = visible_window([line(np.arange(100.0))], View(window=(20.0, 30.0)), log=False)
    assert window is not None
    assert (window.x_low, window.x_high, window.y_low, window.y_high) == (20, 30, 20, 30)


def test_outliers_can_be_left_out_of_the_range_but_not_out_of_the_data() -> None:
    values = np.linspace(0.0, 1.0, 1000)
    values[500] = 1e6
    curves = [line(values)]
    spiky = visible_window(curves, View(), log=False)
    calm = visible_window(curves, View(without_outliers=True), log=False)
    assert spiky is not None
    assert calm is not None
    assert spiky.y_high == 1e6
    assert calm.y_high < 1.1


@pytest.mark.parametrize(("width", "height"), [(0, 0), (1, 1), (5, 2), (11, 3), (12, 4), (200, 60)])
def test_no_size_is_too_small(width: int, height: int) -> None:
    canvas = draw("loss/mel", [line(np.arange(9.0))], view=View(), width=width, height=height)
    assert [len(row) for row in canvas.rows()] == [width] * height


def test_one_point_and_a_constant_are_visible() -> None:
    for values in (np.array([0.7]), np.full(3, 0.7), np.zeros(4)):
        canvas = draw("x", [line(values)], view=View(), width=30, height=6)
        assert ((canvas.codes > BRAILLE) & (canvas.codes <= BRAILLE + 255)).any()


@pytest.mark.parametrize(
    ("x", "value", "window"),
    [
        (0.0, 0.0, (0.0, 1.0, -0.1, 0.1)),
        (0.0, 2.0, (0.0, 1.0, 1.8, 2.2)),
        (180.0, -5.0, (0.0, 360.0, -5.5, -4.5)),
        (-20.0, 1.0, (-40.0, 0.0, 0.9, 1.1)),  # before the step that is aligned
    ],
)
def test_a_single_point_stands_in_a_window_of_its_size(
    x: float, value: float, window: tuple[float, float, float, float]
) -> None:
    curve = Curve(np.array([x]), np.array([value]), None, 0)
    found = visible_window([curve], View(), log=False)
    assert found is not None
    assert (found.x_low, found.x_high, found.y_low, found.y_high) == pytest.approx(window)


def test_steps_are_marked_at_whole_numbers() -> None:
    few = [line(np.array([0.7, 0.6, 0.5]))]
    marks = [
        list(draw("val/mel", few, view=View(axis=axis), width=60, height=8).rows())[-1].split()
        for axis in (XAxis.STEP, XAxis.EPOCH)
    ]
    assert marks[0] == ["0", "1", "step"]
    assert marks[1][:3] == ["0", "0.5", "1.0"]


def test_no_values_are_said_to_be_missing() -> None:
    assert "no values yet" in text(draw("loss", [], view=View(), width=30, height=6))


def test_the_nearest_point_is_looked_up_within_the_curve_only() -> None:
    curve = line(np.arange(4.0))
    assert [nearest(curve, x) for x in (-0.1, 0.4, 0.6, 3.0, 3.1)] == [None, 0, 1, 3, None]


def test_a_level_is_a_line_at_its_value_behind_the_curve_and_within_the_axis() -> None:
    curve = replace(line(np.linspace(12.0, 4.0, 101)), levels=((8.0, "FLAC"),))
    canvas = draw("bits", [curve, curve], view=View(), width=30, height=11)
    rows = text(canvas).split("\n")
    assert rows[5].endswith("─ FLAC 8 ─")  # the middle of nine rows
    assert sum("FLAC" in row for row in rows) == 1
    assert BRAILLE < ord(rows[5][len("  12┤") + 9]) < BRAILLE + 256
    far = replace(curve, levels=((20.0, "FLAC"),))
    assert "FLAC 20" in text(draw("bits", [far], view=View(), width=30, height=11)).split("\n")[1]


def test_the_name_of_a_level_stands_wherever_the_curve_leaves_room() -> None:
    wave = np.where(np.abs(np.arange(101) - 50) < 25, 0.0, 8.0)  # at both ends on the level
    curve = replace(line(wave), levels=((8.0, "FLAC"),))
    rows = text(draw("bits", [curve], view=View(), width=40, height=11)).split("\n")
    assert sum(" FLAC 8 " in row for row in rows) == 1


def test_a_level_on_a_logarithmic_axis_is_at_its_logarithm() -> None:
    curve = replace(line(np.geomspace(100.0, 1.0, 101)), levels=((10.0, "b"), (-1.0, "c")))
    rows = text(draw("a", [curve], view=View(), width=30, height=11, log=True)).split("\n")
    assert rows[5].endswith("─ b 10 ─")
    assert not any(" c " in row for row in rows)


@pytest.mark.parametrize(
    ("low", "high", "end"),
    [
        (0.0, 39.0, 39.0),
        (1.0, 257.0, 257.0),
        (0.0, 257.0, 258.0),
        (10.0, 1011.0, 1014.0),
        (0.0, 0.3, 0.30078125),
        (1.7e9, 1.7e9 + 100_000, 1.7e9 + 100_352),
    ],
)
def test_a_growing_range_ends_at_a_round_place(low: float, high: float, end: float) -> None:
    assert steady(low, high) == (low, end)


def test_a_new_value_changes_the_chart_only_where_it_is() -> None:
    wave = np.sin(np.arange(1004) / 50)
    before, after = (
        draw("wave", [line(wave[:count])], view=View(), width=60, height=12)
        for count in (1002, 1004)
    )
    unlike = (before.codes != after.codes) | (before.inks != after.inks)
    title = len("wave")
    assert unlike[0, title:].any()  # the value in the title
    assert not unlike[1:, :-1].any()

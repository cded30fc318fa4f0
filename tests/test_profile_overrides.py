"""The grammar of the command line behind `--profile NAME`."""

from __future__ import annotations

import datetime

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from codecctl.engine.profile.overrides import (
    Assign,
    Choose,
    Override,
    Reset,
    parse_overrides,
    parse_value,
)
from codecctl.engine.profile.shape import Shape

TEXT = Shape("value", "text", types=frozenset({"string"}))
WHOLE = Shape("value", "a whole number", types=frozenset({"integer"}))
AUTO_OR_WHOLE = Shape("value", "auto or", words=("auto",), types=frozenset({"string", "integer"}))


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("model=tiny", Choose("model=tiny", "model", "tiny")),
        ("+model=tiny", Choose("+model=tiny", "model", "tiny")),
        ("defaults.model=tiny", Choose("defaults.model=tiny", "model", "tiny")),
        ("trainer.seed=7", Assign("trainer.seed=7", ("trainer", "seed"), "7")),
        ("+trainer.seed=7", Assign("+trainer.seed=7", ("trainer", "seed"), "7")),
        ("mode=paired", Assign("mode=paired", ("mode",), "paired")),
        ("data.store=a=b", Assign("data.store=a=b", ("data", "store"), "a=b")),
        ("data.store=", Assign("data.store=", ("data", "store"), "")),
        ("epochs=3", Assign("epochs=3", ("trainer", "max_epochs"), "3")),
        ("~trainer.previews", Reset("~trainer.previews", ("trainer", "previews"))),
        ("~epochs", Reset("~epochs", ("trainer", "max_epochs"))),
    ],
)
def test_an_argument_is_an_option_a_value_or_a_reset(text: str, override: Override) -> None:
    assert parse_overrides([text]) == ([override], [])


@pytest.mark.parametrize("text", ["tiny", "=5", "a..b=1", ".a=1", "~", "~a.", ""])
def test_what_is_none_of_them_is_a_problem(text: str) -> None:
    assert parse_overrides([text]) == (
        [],
        [f"override '{text}': not understood, needed KEY=VALUE, GROUP=OPTION or ~KEY"],
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3e-4", 3e-4),
        ("7", 7),
        ("-1", -1),
        ("1_000", 1000),
        ("true", True),
        ("[0.8, 0.99]", [0.8, 0.99]),
        ('["a"]', ["a"]),
        ("{ epoch = 5 }", {"epoch": 5}),
        ('"quoted"', "quoted"),
        ("bf16-mixed", "bf16-mixed"),
        ("eigenscape", "eigenscape"),
        ("", ""),
        ("True", "True"),
        ("1\nother = 2", "1\nother = 2"),
        ("2024-01-31", datetime.date(2024, 1, 31)),
    ],
)
def test_a_value_is_toml_or_else_a_bare_word(written: str, value: object) -> None:
    assert parse_value(written, None) == value


@pytest.mark.parametrize("written", ["2024", "true", "1.5", "2024-01-31", "007"])
def test_where_only_text_may_stand_a_number_is_text(written: str) -> None:
    assert parse_value(written, TEXT) == written


def test_where_a_whole_number_may_stand_a_round_float_is_one() -> None:
    assert repr(parse_value("1e5", WHOLE)) == "100000"
    assert parse_value("1.5", WHOLE) == 1.5
    assert repr(parse_value("2.0", AUTO_OR_WHOLE)) == "2"
    assert parse_value("auto", AUTO_OR_WHOLE) == "auto"


values = (
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text()
)


@pytest.mark.long
@given(value=values | st.lists(values, max_size=4))
def test_every_value_that_toml_can_write_is_read_back(value: object) -> None:
    written = tomli_w.dumps({"value": value}).partition("=")[2].strip()
    assert parse_value(written, None) == value

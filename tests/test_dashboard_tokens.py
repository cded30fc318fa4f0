"""Codes of previews: reading them, where capsules part, and the page of rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codecctl.dashboard.token_codes import read_codes
from codecctl.dashboard.tokens_view import token_lines

GOOD = {"schema": 1, "sample_rate": 24_000, "hop_length": 320, "codebook_size": 1024}
CODES = [[[5, 6, 7, 8], [1, 2, 3, 4]], [[5, 9, 7, 1], [1, 0, 0, 0]]]


def written(folder: Path, **changes: object) -> str:
    content = {**GOOD, "codes": CODES, **changes}
    (folder / "item-000.codes.json").write_text(json.dumps(content), encoding="utf-8")
    return str(folder / "item-000.wav")


def test_codes_are_read_and_compared(tmp_path: Path) -> None:
    codes = read_codes(written(tmp_path))
    assert codes.problem == ""
    assert codes.codes.shape == (2, 2, 4)
    assert codes.frame_seconds == pytest.approx(0.01333, abs=1e-5)
    assert codes.agree(0, 1, 0).tolist() == [True, False, True, False]
    assert codes.next_parting(0, 1, -1) == 1
    assert codes.next_parting(0, 1, 1) == 3
    assert codes.next_parting(0, 1, 3) is None
    assert codes.next_parting(0, 1, 3, back=True) == 1
    assert codes.next_parting(0, 1, 1, back=True) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 2},
        {"codes": []},
        {"codes": [[[1, 2], [3]]]},
        {"codes": [[1, 2]]},
        {"codes": [[["a"]]]},
        {"codes": [[[0.5]]]},
        {"codes": [[[1024]]]},
        {"codes": [[[-1]]]},
        {"codes": None},
        {"codes": [[[10**40]]]},
        {"hop_length": 0},
        {"sample_rate": "24000"},
        {"codebook_size": None},
    ],
)
def test_foreign_codes_are_a_line(tmp_path: Path, changes: dict[str, object]) -> None:
    found = read_codes(written(tmp_path, **changes))
    assert found.problem.startswith("item-000.codes.json: found ")
    assert found.codes.size == 0


def test_missing_and_damaged_codes_are_a_line(tmp_path: Path) -> None:
    wav = str(tmp_path / "item-000.wav")
    assert "not written" in read_codes(wav).problem
    for text in ("", "[", "[" * 100_000, "1", "\x00"):
        (tmp_path / "item-000.codes.json").write_text(text)
        problem = read_codes(wav).problem
        assert problem.startswith("item-000.codes.json: "), text[:5]
        assert "\n" not in problem
    assert "exchanged codes" in read_codes(str(tmp_path / "item-000.swap.wav")).problem


def test_rows_stand_above_each_other_with_what_lies_between(tmp_path: Path) -> None:
    codes = read_codes(written(tmp_path))
    lines = token_lines(codes, capsule=0, first=0, marked=1, width=80)
    text = [line.plain.rstrip() for line in lines]
    assert text[0] == "4 frames of 13.3 ms, 2 codebooks of 1024"
    assert text[1] == "codebook 1: capsules 1 and 2 agree in 2 of 4 frames (50%)"
    assert text[2] == "codebook 2: capsules 1 and 2 agree in 1 of 4 frames (25%)"
    assert text[3].startswith("first codes differ first in frame 1 (0.013 s)")
    rows = [line.split() for line in text[5:8]]
    assert rows[0] == ["1", "capsule", "1", "5", "6", "7", "8"]
    assert rows[1] == ["│", "×", "│", "×"]
    assert rows[2] == ["1", "capsule", "2", "5", "9", "7", "1"]
    columns = [text[5].index("6"), text[6].index("×"), text[7].index("9")]
    assert len(set(columns)) == 1
    assert any("reverse" in str(span.style) for span in lines[5].spans)


def test_frames_without_room_in_a_line_stand_below_as_far_as_the_height_goes(
    tmp_path: Path,
) -> None:
    codes = read_codes(written(tmp_path))

    def page(height: int) -> list[str]:
        width = 22  # two frames
        lines = token_lines(codes, capsule=0, first=0, marked=None, width=width, height=height)
        return [line.plain for line in lines]

    text = page(21)
    assert [line.split()[3:] for line in text if " capsule " in line and line[0] == "1"] == [
        *(["5", "6"], ["5", "9"]),
        *(["7", "8"], ["7", "1"]),
    ]
    assert [line.split() for line in text if line.split()[:1] in (["0.00"], ["0.03"])] == [
        ["0.00"],
        ["0.03"],
    ]
    assert len(text) == 21
    assert page(20) == text[: 4 + 8]


def test_the_pair_goes_round_and_one_stream_has_no_pair(tmp_path: Path) -> None:
    codes = read_codes(written(tmp_path))
    text = [line.plain for line in token_lines(codes, capsule=1, first=2, marked=None, width=80)]
    assert "capsules 2 and 1" in text[1]
    assert text[5].split() == ["1", "capsule", "2", "7", "1"]
    alone = read_codes(written(tmp_path, codes=CODES[:1]))
    text = [line.plain for line in token_lines(alone, capsule=3, first=0, marked=None, width=20)]
    assert [line.split()[3:] for line in text[2:]] == [["5"], ["1"]]  # as many as fit

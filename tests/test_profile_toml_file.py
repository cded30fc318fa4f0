"""TOML files: errors with their place, and the line of a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.engine.profile.toml_file import line_of, read_toml
from codecctl.errors import ProfileError

DOCUMENT = """\
mode = "paired" # a comment with = in it
data.rate = 24000

[trainer]
seed = 1
config = { lr = 3e-4, betas = [0.5, 0.9] }
"quoted" = 2

[trainer.optimizer]
type = "Adam"

[[model.discriminators]]
leak = 0.1

[[model.discriminators]]
leak = 0.2

[model.'*'] # every one
x = [
  1,
]
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("mode", 1),
        ("data.rate", 2),
        ("trainer", 4),
        ("trainer.seed", 5),
        ("trainer.config.lr", 6),
        ("trainer.quoted", 7),
        ("trainer.optimizer", 9),
        ("trainer.optimizer.type", 10),
        ("trainer.optimizer.missing", 9),
        ("model.discriminators.0.leak", 13),
        ("model.discriminators.1.leak", 16),
        ("model.*.x", 19),
        ("data", 2),
        ("model", 12),
        ("model.discriminators", 12),
    ],
)
def test_a_key_is_found_on_the_line_that_sets_it(key: str, line: int) -> None:
    assert line_of(DOCUMENT, tuple(key.split("."))) == line


def test_a_key_that_nothing_sets_has_no_line() -> None:
    assert line_of(DOCUMENT, ("wandb",)) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\nb = = 2\n", r"^x\.toml:2:5: TOML syntax: Invalid value$"),
        (b"a = 1\na = 2\n", r"^x\.toml:2:6: TOML syntax: Cannot overwrite a value$"),
        (b"[a\n", r"^x\.toml:1:3: TOML syntax: "),
        (b'a = "\xff"\n', r"^x\.toml: byte 5 is not UTF-8; save it as UTF-8$"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_with_its_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(ProfileError, match=message):
        read_toml(tmp_path / "x.toml", "x.toml")


def test_a_folder_named_like_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"^x\.toml: cannot be read: Is a directory$"):
        read_toml(tmp_path, "x.toml")

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from codecctl.datasets import quota as module
from codecctl.datasets.quota import Quota, quota


def test_what_is_left_is_never_negative() -> None:
    assert Quota(limit=10, used=4).left == 6
    assert Quota(limit=10, used=40).left == 0


def test_a_real_file_system_answers_or_is_said_to_be_silent(tmp_path: Path) -> None:
    found, known = quota(tmp_path)
    assert known or found is None
    assert quota(Path("/proc")) == (None, False)


def test_the_answer_has_the_size_that_the_kernel_writes() -> None:
    assert ctypes.sizeof(module._Answer) == 72  # struct if_dqblk of linux/quota.h


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({0: (1000, 0, 24_000, 0), 1: (0, 0, 0, 0)}, (Quota(1_024_000, 24_000), True)),
        ({0: (1000, 0, 0, 0), 1: (0, 500, 0, 0)}, (Quota(512_000, 0), True)),  # soft, tighter
        ({0: (0, 0, 0, 3), 1: (0, 0, 0, 3)}, (None, True)),  # ESRCH: quotas are off
        ({0: (0, 0, 0, 1), 1: (0, 0, 0, 3)}, (None, False)),  # EPERM
    ],
)
def test_the_tightest_of_user_and_group_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: dict[int, tuple[int, int, int, int]],
    expected: tuple[Quota | None, bool],
) -> None:
    def ask(folder: Path, kind: int, number: int) -> tuple[object, int]:
        hard, soft, used, code = answers[kind]
        return module._Answer(hard, soft, used), code

    monkeypatch.setattr(module, "_ask", ask)
    assert quota(tmp_path) == expected

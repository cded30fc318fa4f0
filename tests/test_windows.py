from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.windows import CAPSULE_POLICIES, Window, fault
from codecctl.errors import ProfileError


def test_capsules_follow_the_order_of_their_keys() -> None:
    keys = np.array([0.4, 0.1, 0.9, 0.2])
    assert CAPSULE_POLICIES["random_distinct"](keys, 3) == (1, 3, 0)
    assert CAPSULE_POLICIES["random_one"](keys, 1) == (1,)
    assert CAPSULE_POLICIES["all"](keys, 4) == (0, 1, 2, 3)


def test_an_unknown_policy_or_geometry_names_the_key() -> None:
    with pytest.raises(ProfileError, match=r"data\.capsules\.policy: found 'first', needed one of"):
        Window(frames=1, capsules=1, policy="first")
    with pytest.raises(ProfileError, match=r"data\.capsules\.geometry: found 'near', needed 'any'"):
        Window(frames=1, capsules=1, geometry="near")


@pytest.mark.parametrize(
    ("policy", "levels", "expected"),
    [
        ("random_distinct", [0.1, 0.1], ""),
        ("random_distinct", [0.1, -1e-6], "silent"),
        ("all", [0.1, -1e-6], ""),
        ("all", [1e-6, -1e-6], "silent"),
        ("all", [0.1, np.nan], "not finite"),
        ("random_distinct", [np.inf, 0.1], "not finite"),
        ("random_distinct", [-np.inf, 0.1], "not finite"),
    ],
)
def test_what_spoils_a_window(policy: str, levels: list[float], expected: str) -> None:
    audio = np.zeros((2, 5), dtype=np.float32)
    audio[:, 3] = levels
    assert fault(audio, window=Window(frames=5, capsules=2, policy=policy)) == expected

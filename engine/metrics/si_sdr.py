"""Scale-invariant ratio of signal to distortion."""

from __future__ import annotations

from torch import Tensor

from codecctl.engine.losses.si_sdr import si_sdr_by_channel


def si_sdr(estimate: Tensor, reference: Tensor) -> Tensor:
    """Energy of the estimate along the reference over what is left, in dB; mean over channels.

    On signals without their means, and not on a mix of the channels: that would hide errors that
    cancel in it. See `losses.si_sdr`.

    Args:
        estimate: (N, C, T).
        reference: (N, C, T).

    Returns:
        (N,) in dB; higher is closer.
    """
    return si_sdr_by_channel(estimate, reference).mean(1)

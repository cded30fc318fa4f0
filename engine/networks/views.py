"""Which channels of a signal a discriminator sees at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from codecctl.engine.networks.judgement import Judgement


@dataclass(frozen=True)
class ChannelView:
    """One way to show a signal of C channels.

    A signal becomes G groups of channels, each judged alone; its judgement is that of all groups.
    """

    width: int
    """Channels of a group; 0: all, so that there is one group."""
    covers: bool
    """Whether the groups hold every channel that fills one up, else there is one group."""
    shuffles: bool
    """Whether it matters in which order the channels come."""
    note: str = ""
    """What the terms are of, where it is not all channels at once."""

    def channels(self, of: int) -> int:
        """Channels that a discriminator of signals with so many channels is built for."""
        return self.width or of

    def groups(self, channels: int) -> int:
        """G."""
        return channels // self.width if self.width and self.covers else 1

    def show(self, audio: Tensor, order: Tensor | None = None) -> Tensor:
        """Signals (N, C, T) as groups (N * G, width, T).

        Args:
            audio: (N, C, T).
            order: In which order the channels of each signal fill the groups, a permutation
                (N, C) int64; as they come if None.
        """
        signals, channels, _ = audio.shape
        if not self.width:
            return audio
        shown = self.width * self.groups(channels)
        assert shown <= channels, (self.width, channels)
        if order is None or not self.shuffles:
            return audio[:, :shown].reshape(-1, self.width, audio.shape[-1])
        first = channels * torch.arange(signals, device=order.device)
        rows = (first[:, None] + order[:, :shown]).flatten()  # in (N * C, T)
        return audio.flatten(0, 1).index_select(0, rows).view(-1, self.width, audio.shape[-1])

    def by_signal(self, judgements: Sequence[Judgement], *, signals: int) -> list[Judgement]:
        """Judgements of groups (N * G, ...) as those of signals (N, G, ...); as they are if G = 1.

        Everything that is made of a judgement is a mean over all of a signal's values.
        """

        def gathered(values: Tensor) -> Tensor:
            # A view; in one axis with the filters it would be a copy.
            return values if len(values) == signals else values.view(signals, -1, *values.shape[1:])

        return [
            (gathered(logits), [gathered(values) for values in maps]) for logits, maps in judgements
        ]


CHANNEL_VIEWS: dict[str, ChannelView] = {
    "all": ChannelView(width=0, covers=True, shuffles=False),
    "random_one": ChannelView(
        width=1,
        covers=False,
        shuffles=True,
        note="one random channel of each item, in validation its first",
    ),
    "fold_batch": ChannelView(
        width=1, covers=True, shuffles=False, note="the mean over channels, each judged alone"
    ),
    "pairs": ChannelView(
        width=2,
        covers=True,
        shuffles=True,
        note="the mean over pairs of channels, drawn anew for each item and step; in validation "
        "neighbors in the order of the array",
    ),
}
"""Ways by the name that a profile gives."""

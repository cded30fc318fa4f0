"""Which preview one looks at: a step that all items share, an item and a channel."""

from __future__ import annotations

from codecctl.dashboard.views import Preview

_SLIDER = 40


class PreviewChoice:
    """Step, item and channel; the newest step is followed until another one is chosen.

    Attributes:
        channel: Counted from 0.
    """

    def __init__(self) -> None:
        self.channel = 0
        self._all: tuple[Preview, ...] = ()
        self._step: int | None = None
        self._item = ""

    def set_previews(self, previews: tuple[Preview, ...]) -> None:
        """Take over what there is."""
        self._all = previews

    @property
    def steps(self) -> list[int]:
        """All steps, rising."""
        return sorted({preview.step for preview in self._all})

    @property
    def items(self) -> list[str]:
        """All items by name."""
        return sorted({preview.item for preview in self._all})

    @property
    def current(self) -> Preview | None:
        """What is chosen; the first item of the step where the item is not there."""
        steps = self.steps
        if not steps:
            return None
        step = self._step if self._step in steps else steps[-1]
        here = [preview for preview in self._all if preview.step == step]
        return next((preview for preview in here if preview.item == self._item), here[0])

    def move_step(self, by: int) -> None:
        """An earlier or later step; at the newest one it is followed from then on."""
        steps, current = self.steps, self.current
        if current is not None:
            self.choose_step(steps[min(max(steps.index(current.step) + by, 0), len(steps) - 1)])

    def choose_step(self, step: int) -> None:
        """Take a step; the newest one is followed."""
        self._step = None if step == max(self.steps, default=step) else step

    def choose_near(self, step: int) -> None:
        """Take the step with previews that is nearest to another one; of two the earlier."""
        if self.steps:
            self.choose_step(min(self.steps, key=lambda known: (abs(known - step), known)))

    def move_item(self, by: int) -> None:
        """Another item, round and round."""
        items, current = self.items, self.current
        if current is not None:
            self._item = items[(items.index(current.item) + by) % len(items)]

    def choose_item(self, item: str) -> bool:
        """Take an item by its name; whether there is one."""
        if item not in self.items:
            return False
        self._item = item
        return True

    def status(self, num_channels: int, sample_rate: int) -> list[tuple[str, str, str]]:
        """A line: the slider, whose marks stand for steps, item, channel and rate.

        Returns:
            Text, style and the step that a click on it chooses, "" for none.
        """
        current = self.current
        if current is None:
            return []
        steps, items = self.steps, self.items
        place = steps.index(current.step)
        first = min(max(0, place - _SLIDER // 2), max(0, len(steps) - _SLIDER))
        shown = steps[first : first + _SLIDER]
        slider = [("●" if step == current.step else "─", "", str(step)) for step in shown]
        parts = [
            "",
            f"{current.item} ({items.index(current.item) + 1}/{len(items)})",
            f"channel {self.channel + 1}/{num_channels}",
            f"{sample_rate} Hz",
        ]
        head = f"step {current.step} ({place + 1}/{len(steps)}) "
        return [(head, "", ""), *slider, (" · ".join(parts), "", "")]

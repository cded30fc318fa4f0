"""When discriminators act."""

from __future__ import annotations

from dataclasses import dataclass

from codecctl.engine.seeds import draw


@dataclass(frozen=True)
class Timing:
    """When the discriminators act."""

    start_step: int
    """First step, counted from 0, on which they may learn."""
    update_probability: float
    """Chance that a step updates them."""
    update_every: int
    """Steps between updates."""
    generator_first: bool
    """Whether both players learn from judgements made before either moved."""
    adversarial_before_start: bool
    """Whether the generator is trained against untrained discriminators before the start."""
    frozen: bool = False
    """Whether they never learn."""

    def judges(self, step: int) -> bool:
        """Whether the generator is trained against them on this step."""
        return self.adversarial_before_start or step >= self.start_step

    def learns(self, step: int, *, seed: int) -> bool:
        """Whether they are updated on this step: a function of the seed and the step."""
        if self.frozen or step < self.start_step or step % self.update_every:
            return False
        return draw(seed, step=step, purpose="discriminator") < self.update_probability

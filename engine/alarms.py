"""Warnings about a training that goes on but will not become what was asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from codecctl.engine.profile import MODES, Profile
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.profile.schema_model import NoQuantizer, ScalarQuantizer
from codecctl.engine.rundir import RunDirectory

COLLAPSED_BELOW = 0.1
"""Perplexity of a codebook as a share of its entries."""
SETTLED_STEPS = 100
"""Updates before rows of training count: the encoder runs away from its first codebooks."""
ROWS_IN_A_ROW = 3
"""Of training that have to say the same: one batch may be of one sound."""

FEWEST_ACTIVE = 0.1
"""Share of the numbers of a latent that have to tell anything of what was encoded."""

GROWN = 10.0
"""Factor on a norm, since the first row that counts, from which it runs away."""

_NORM = re.compile(r"codebook/\d+/norm")
_PERPLEXITY = re.compile(r"(val/)?codebook/(\d+)/perplexity")


@dataclass(frozen=True)
class Codes:
    """How many codes the figures of a row are of."""

    codebook_size: int
    """Entries N; 0 where nothing is quantized."""
    in_batch: int
    """Of each codebook in a row of training."""
    in_validation: int
    """Of each codebook in a row of validation."""

    def can_tell(self, *, validation: bool) -> bool:
        """Whether a row has enough codes to tell a codebook that is left from one that is unseen.

        As many codes as entries, evenly drawn, have a perplexity of 0.6 N.
        """
        found = self.in_validation if validation else self.in_batch
        return 0 < self.codebook_size <= found


def codes_of(profile: Profile) -> Codes:
    """The codes of rows of a profile's training; a language model has none."""
    if isinstance(profile, LosslessProfile):
        return Codes(0, 0, 0)
    data, quantizer = profile.data, profile.model.quantizer
    frames = math.ceil(
        round(data.segment_seconds * data.rate) / math.prod(profile.model.generator.strides)
    )
    signals = 1 if MODES[profile.mode].together else data.capsules.count
    size = 0
    if isinstance(quantizer, ScalarQuantizer):
        size = math.prod(quantizer.levels)
    elif not isinstance(quantizer, NoQuantizer):
        size = quantizer.codebook_size
    each = signals * frames
    return Codes(size, data.batch_size * each, data.val_items * each)


class Alarms:
    """Looks at rows and writes a warning event for each thing that goes wrong, once.

    A codebook collapses when its codes are as uneven as those of a tenth of its entries: in one
    validation, or in a few rows of training in a row. A drawn latent does where next to none of
    its numbers depend on the audio. Embeddings run away when the norm of latents or entries has
    grown tenfold for a few rows in a row.

    Args:
        run: Takes the events.
        codes: What the rows are of.
    """

    def __init__(self, run: RunDirectory, codes: Codes) -> None:
        self._run = run
        self._codes = codes
        self._raised: set[str] = set()
        self._low_rows: dict[str, int] = {}
        self._settled: dict[str, float] = {}

    def look(self, step: int, values: Mapping[str, float]) -> None:
        """Look at a row.

        Args:
            step: Updates done; before the first one nothing is learned and nothing is wrong.
            values: Scalars by name.
        """
        if "latent/active" in values and step >= SETTLED_STEPS:
            self._judge_latent(values["latent/active"], step)
        for name in sorted(values) if step >= SETTLED_STEPS else ():
            if name == "latent/norm" or _NORM.fullmatch(name):
                self._judge_growth(name, values[name], step)
        for name, value in values.items():
            found = _PERPLEXITY.fullmatch(name)
            if step == 0 or found is None:
                continue
            validation = found[1] is not None
            settled = validation or step >= SETTLED_STEPS
            if settled and self._codes.can_tell(validation=validation):
                self._judge(name, found[2], value, step, needed=1 if validation else ROWS_IN_A_ROW)

    def _judge(self, name: str, number: str, perplexity: float, step: int, *, needed: int) -> None:
        size = self._codes.codebook_size
        if not perplexity < COLLAPSED_BELOW * size:
            self._low_rows[name] = 0
            self._raised.discard(number)
            return
        self._low_rows[name] = self._low_rows.get(name, 0) + 1
        if self._low_rows[name] < needed or number in self._raised:
            return
        self._raised.add(number)
        self._run.event(
            "warning",
            step,
            f"codebook {number} collapses: codes as those of {perplexity:.1f} of its {size} "
            "entries (perplexity); raise the weight of commitment or lower the learning rate",
        )

    def _judge_growth(self, name: str, norm: float, step: int) -> None:
        settled = self._settled.setdefault(name, norm)
        if not norm > GROWN * settled:
            self._low_rows[name] = 0
            self._raised.discard(name)
            return
        self._low_rows[name] = self._low_rows.get(name, 0) + 1
        if self._low_rows[name] < ROWS_IN_A_ROW or name in self._raised:
            return
        self._raised.add(name)
        self._run.event(
            "warning",
            step,
            f"{name} has grown from {settled:.3g} to {norm:.3g}: embeddings run away from their "
            "codebooks; larger batches, a larger weight of commitment or a lower learning rate "
            "hold them",
        )

    def _judge_latent(self, active: float, step: int) -> None:
        if not active < FEWEST_ACTIVE:
            self._low_rows["latent"] = 0
            self._raised.discard("latent")
            return
        self._low_rows["latent"] = self._low_rows.get("latent", 0) + 1
        if self._low_rows["latent"] < ROWS_IN_A_ROW or "latent" in self._raised:
            return
        self._raised.add("latent")
        self._run.event(
            "warning",
            step,
            f"the latent collapses: {100 * active:.0f} % of its numbers depend on the audio "
            "(latent/active); lower trainer.loss_config.bottleneck.weights.kl",
        )

"""Profile to the terms between the capsules of a pair."""

from __future__ import annotations

from collections.abc import Mapping

from codecctl.engine.losses.pairwise import DIVERSITIES
from codecctl.engine.profile.schema_losses import DiversityConfig, Losses, SimilarityConfig
from codecctl.engine.recipes.pairwise_terms import PairwiseTerms

PAIRWISE = ("similarity", "diversity")
"""Terms between two capsules."""


def build_pairwise(losses: Losses, weights: Mapping[str, float]) -> PairwiseTerms:
    """The terms between two capsules that have a weight; none where `weights` names neither."""
    alike, apart = losses.pairwise.similarity.config, losses.pairwise.diversity.config
    configs: dict[str, SimilarityConfig | DiversityConfig] = {
        "similarity": alike,
        "diversity": apart,
    }
    return PairwiseTerms(
        similarity_stage=alike.stage,
        diversity_stage=apart.stage,
        diversity=DIVERSITIES[apart.kind],
        margin=apart.margin,
        weights={name: weight for name, weight in weights.items() if name in PAIRWISE},
        frames={name: config.frames for name, config in configs.items()},
        shares={
            name: config.share
            for name, config in configs.items()
            if config.weighting == "gradient_share"
        },
        decay=losses.pairwise.share_decay,
    )

"""The quantizer of a profile."""

from __future__ import annotations

from codecctl.engine.profile import schema_model as schema
from codecctl.engine.quantizers import (
    FiniteScalarQuantizer,
    GroupedQuantizer,
    LearnedResidualQuantizer,
    Passthrough,
    Quantizer,
    ResidualVectorQuantizer,
)


def build_quantizer(settings: schema.Quantizer, *, dim: int) -> Quantizer:
    """The quantizer that a profile describes, for a latent of width `dim`."""
    if isinstance(settings, schema.NoQuantizer):
        return Passthrough(dim=dim)
    if isinstance(settings, schema.ScalarQuantizer):
        return FiniteScalarQuantizer(dim=dim, levels=settings.levels)
    # Without iterations, the centroids are the latents that they start from.
    iterations = settings.kmeans_iterations if settings.kmeans_init else 0
    width = dim // settings.groups
    members: list[Quantizer] = []
    for _ in range(settings.groups):
        if isinstance(settings, schema.LearnedQuantizer):
            member: Quantizer = LearnedResidualQuantizer(
                dim=width,
                num_codebooks=settings.num_codebooks,
                codebook_size=settings.codebook_size,
                kmeans_iterations=iterations,
            )
        else:
            member = ResidualVectorQuantizer(
                dim=width,
                num_codebooks=settings.num_codebooks,
                codebook_size=settings.codebook_size,
                decay=settings.decay,
                epsilon=settings.epsilon,
                kmeans_iterations=iterations,
                dead_threshold=settings.dead_threshold,
                ema=settings.ema,
            )
        members.append(member)
    return members[0] if settings.groups == 1 else GroupedQuantizer(members)

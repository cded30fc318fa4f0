"""`trainer.loss_config.`: what a network is asked to make small."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import (
    CLOSED,
    Count,
    CountOrZero,
    Decay,
    NotNegative,
    Positive,
)
from codecctl.engine.profile.schema_losses_spectral import SpectralLosses


class TimeConfig(BaseModel):
    """Distance of waveforms."""

    model_config = CLOSED

    kind: Literal["l1", "l2"]
    """l1: mean absolute difference; l2: mean squared difference."""


class TimeTerm(BaseModel):
    """Difference of the waveforms, sample by sample."""

    model_config = CLOSED

    config: TimeConfig


class MelConfig(BaseModel):
    """Resolutions of the spectral distance."""

    model_config = CLOSED

    kind: Literal["log", "power_and_log", "power_and_log_norm"]
    """log: L1 and L2 of log mel, Slaney bands; power_and_log: L1 of mel power, L2 of its
    logarithm, HTK bands; power_and_log_norm: L1 of mel power and the norm of its logarithm over
    the bands, summed over windows, as in SoundStream."""
    scales: Annotated[
        tuple[Annotated[int, Field(ge=4, le=16)], ...], Field(min_length=1, max_length=13)
    ]
    """Window lengths as powers of two: 11 is 2048 samples."""
    num_mels: Count
    """Mel bands at every scale."""


class MelTerm(BaseModel):
    """Distance of mel spectrograms of several resolutions."""

    model_config = CLOSED

    config: MelConfig


class SiSdrConfig(BaseModel):
    """Ratio of signal to distortion."""

    model_config = CLOSED

    zero_mean: bool
    """Take the mean of each channel away first."""


class SiSdrTerm(BaseModel):
    """Minus the scale-invariant ratio of signal to distortion in dB."""

    model_config = CLOSED

    config: SiSdrConfig


class ReconstructionWeights(BaseModel):
    """Weight 0 disables a term, which is then not computed."""

    model_config = CLOSED

    time: NotNegative
    """Difference of the waveforms."""
    mel: NotNegative
    """Distance of mel spectrograms."""
    si_sdr: NotNegative
    """Scale-invariant signal-to-distortion ratio, negative: higher is better."""


class ReconstructionLosses(BaseModel):
    """Terms that compare estimate and reference."""

    model_config = CLOSED

    time: TimeTerm
    mel: MelTerm
    si_sdr: SiSdrTerm
    weights: ReconstructionWeights


class AdversarialWeights(BaseModel):
    """Weight 0 disables a term."""

    model_config = CLOSED

    generator: NotNegative
    """Hinge loss of the generator against the discriminators."""
    feature: NotNegative
    """Feature matching: distance of the discriminators' activations."""


class FeatureConfig(BaseModel):
    """Distance of the discriminators' activations."""

    model_config = CLOSED

    kind: Literal["relative", "summed"]
    """relative: to the size of each map, a mean; summed: over width and bins of each map, which
    is large, so that its weight is small."""


class FeatureTerm(BaseModel):
    """Feature matching."""

    model_config = CLOSED

    config: FeatureConfig


class AdversarialLosses(BaseModel):
    """Terms that a discriminator judges."""

    model_config = CLOSED

    feature: FeatureTerm
    weights: AdversarialWeights


class BottleneckWeights(BaseModel):
    """Weight 0 disables a term."""

    model_config = CLOSED

    commitment: NotNegative
    """Distance of latents to the codebook entries that they choose, mean over stages."""
    codebook: NotNegative
    """Distance of learned codebook entries (`vq`) to the latents that choose them."""
    kl: NotNegative
    """Twice the divergence of drawn latents from the standard normal distribution, in nats, summed
    over the width; ignored, with a notice, where there is no VAE."""


class BottleneckLosses(BaseModel):
    """Terms of what stands between encoder and decoder."""

    model_config = CLOSED

    weights: BottleneckWeights


class SimilarityConfig(BaseModel):
    """Where two capsules should agree."""

    model_config = CLOSED

    stage: CountOrZero
    """Quantizer stage, counted from 0."""
    frames: Literal["all", "energy", "coherence"]
    """all: every frame counts alike; energy: by the level that both capsules have; coherence: by
    how coherent they are around the frame. The mean over an item stays one."""
    weighting: Literal["fixed", "gradient_share"]
    """fixed: the weight as it is; gradient_share: scaled so that the gradient of the term at the
    latent has `share` of the norm of reconstruction's."""
    share: Positive
    """Of gradient_share: norm relative to the gradient of the terms at the decoder's output."""


class SimilarityTerm(BaseModel):
    """Mean squared difference of one stage between capsules; lower is more alike."""

    model_config = CLOSED

    config: SimilarityConfig


class DiversityConfig(BaseModel):
    """Where two capsules should differ."""

    model_config = CLOSED

    stage: CountOrZero
    """Quantizer stage, counted from 0."""
    kind: Literal["neg_mse", "hinge"]
    """neg_mse: minus the mean squared difference, unbounded; hinge: stops at `margin`."""
    margin: Positive
    """Mean squared difference at which the hinge is satisfied."""
    frames: Literal["all", "energy", "incoherence"]
    """all: every frame counts alike; energy: by the level that both capsules have; incoherence: by
    how little coherent they are around the frame. The mean over an item stays one."""
    weighting: Literal["fixed", "gradient_share"]
    """fixed: the weight as it is; gradient_share: scaled so that the gradient of the term at the
    latent has `share` of the norm of reconstruction's."""
    share: Positive
    """Of gradient_share: norm relative to the gradient of the terms at the decoder's output."""


class DiversityTerm(BaseModel):
    """Reward for a difference of one stage between capsules; lower is further apart."""

    model_config = CLOSED

    config: DiversityConfig


class ClassifierConfig(BaseModel):
    """Auxiliary network that tells which capsule the vectors of one stage come from."""

    model_config = CLOSED

    stage: CountOrZero
    """Quantizer stage that it reads, counted from 0."""
    hidden: Count
    """Width of its hidden layer."""
    num_capsules: Annotated[int, Field(ge=2, le=1024)]
    """Capsules to choose from: at least the channels of the largest recording."""


class ClassifierTerm(BaseModel):
    """Cross entropy of telling the capsule of a frame; its optimizer is like the generator's."""

    model_config = CLOSED

    config: ClassifierConfig


class PairwiseWeights(BaseModel):
    """Weight 0 disables a term."""

    model_config = CLOSED

    similarity: NotNegative
    """Mean squared difference of the first stage."""
    diversity: NotNegative
    """Reward for a difference of the second stage."""
    classifier: NotNegative
    """With weight 0 no classifier is built."""


class PairwiseLosses(BaseModel):
    """Terms between capsules of one item."""

    model_config = CLOSED

    similarity: SimilarityTerm
    diversity: DiversityTerm
    classifier: ClassifierTerm
    share_decay: Decay
    """Of the moving averages behind gradient_share, per update."""
    weights: PairwiseWeights


class Losses(BaseModel):
    """Groups of terms; each group holds its terms and their weights."""

    model_config = CLOSED

    reconstruction: ReconstructionLosses
    adversarial: AdversarialLosses
    bottleneck: BottleneckLosses
    spectral: SpectralLosses
    pairwise: PairwiseLosses

"""The trainings that `world_size.py` compares: profile, capsules and overrides."""

from __future__ import annotations

STEPS = 20
TINY = (
    "model=tiny",
    "data.segment_seconds=0.05",
    "data.min_source_seconds=0.05",
    "data.batch_size=4",
    "model.generator.num_filters=4",
    "model.generator.latent_dim=8",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,8]",
    "trainer.loss_config.reconstruction.weights.mel=0.0",  # its windows are float32
    "trainer.scheduler.enabled=false",  # its warm-up would hide differences
    "trainer.discriminator.scheduler.enabled=false",
    "trainer.gradient_clip_val=0.5",
    "trainer.ema.enabled=true",
)
JUDGES = (
    "model.discriminators.0.num_filters=2",
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
    "trainer.discriminator.start={step=2}",
)
BOOKS = ("model.quantizer.codebook_size=8", "model.quantizer.bandwidths=[1.0]")
CASES: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "paired": ("paired", 2, (*JUDGES, *BOOKS, "model.quantizer.dropout=true")),
    "paired-first": ("paired", 2, (*JUDGES, *BOOKS, "trainer.order=discriminator_first")),
    "channels": (
        "baseline-32ch",
        3,
        (*JUDGES, "data.capsules.count=3", "model.generator.channels=3"),
    ),
    "stages": (
        "soundstream",
        1,
        (
            *BOOKS,
            "data.segment_seconds=0.25",
            "data.min_source_seconds=0.25",
            "model.discriminators.0.num_filters=8",
            "model.discriminators.0.n_fft=256",
            "model.discriminators.0.hop_length=64",
            "model.discriminators.1.factors=[1]",
            "model.discriminators.1.num_filters=4",
            "model.discriminators.1.max_filters=8",
            "trainer.stages.0.weights.mel=0.0",  # for the same reason
            "trainer.stages.1.scheduler.enabled=false",
            *(f"trainer.stages.{index}.length={{steps={STEPS // 2}}}" for index in range(2)),
        ),
    ),
}
"""Profile, capsules, overrides."""
FRAMES = {"stages": 6000}
"""Of an item, where 1200 are too few for a discriminator."""
ONE_SIDE = (
    *(override for override in TINY if "iscriminator" not in override and "ema" not in override),
    "model.discriminators=[]",
    "trainer.loss_config.adversarial.weights.generator=0",
    "trainer.loss_config.adversarial.weights.feature=0",
    'trainer.balancer.covers=["time"]',
)
_CODEC = ("paired", 2, (*ONE_SIDE, *BOOKS, "model.quantizer.dropout=true"))
_LANGUAGE_MODEL = (
    "lossless-8bit",
    1,
    (
        *("data.chunk_size=1200", "data.batch_size=4", "model.embedding_dim=16"),
        *("model.num_layers=1", "model.num_heads=2", "trainer.gradient_clip_val=0.05"),
    ),
)
IN_PARTS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "fsdp": _CODEC,
    "fsdp-lossless": _LANGUAGE_MODEL,
    "deepspeed": _CODEC,
    "deepspeed-lossless": _LANGUAGE_MODEL,
}
"""With one optimizer, in parts: each process keeps its own of all moments, with fsdp of weights."""


def needs_deepspeed(case: str) -> bool:
    """Whether a case is one of DeepSpeed, which moves weights in float32 alone."""
    return case.startswith("deepspeed")

"""Small trainings in which every key of every tree has something to do."""

from __future__ import annotations

from dataclasses import dataclass

RATE = 8000
OPTIMIZERS = (
    *("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam"),
    *("RAdam", "RMSprop", "Rprop", "SGD"),
)
SCHEDULES = {
    "Constant": "{}",
    "Exponential": "{gamma=0.9}",
    "InverseLR": "{inv_gamma=3.0,power=0.5,warmup=0.5,final_lr=1e-6}",
    "LinearWarmup": "{warmup_steps=5,start=0.1}",
    "OneCycle": "{pct_start=0.3,div_factor=25.0,final_div_factor=100.0}",
    "Plateau": "{factor=0.5,patience=1,threshold=0.01,cooldown=1,least=0.05}",
    "WarmupCosine": "{warmup_epochs=2.0,warmup_start=0.1,final=0.2}",
}


@dataclass(frozen=True)
class Scene:
    """A profile with overrides."""

    profile: str
    overrides: tuple[str, ...]


_SMALL_TERMS = (
    "trainer.loss_config.reconstruction.weights.si_sdr=0.1",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,7]",
    "trainer.loss_config.spectral.mrstft.config={n_ffts=[64,128],hop_lengths=[16,32],"
    "win_lengths=[64,128],convergence=1.0,log_magnitude=1.0,magnitude=0.5,complex=0.5}",
    "trainer.loss_config.spectral.linear_mel.config={scales=[6,7],num_mels=8}",
    "trainer.loss_config.spectral.phase.config={n_fft=128,hop_length=32,win_length=100}",
    *(
        f"trainer.loss_config.spectral.weights.{term}=0.1"
        for term in ("mrstft", "linear_mel", "phase")
    ),
    'trainer.eval_loss_config.terms=["sisdr","stft","mel"]',
    "trainer.eval_loss_config.stft={sample_rate=8000,fft_size=128,hop_size=32,win_length=100}",
    "trainer.eval_loss_config.mel={fft_size=128,hop_size=32,win_length=100,n_mels=8}",
)
_LOUD = (
    "trainer.num_gpus=0",
    "trainer.updates_per_epoch=10",
    "trainer.max_epochs=9",
    "trainer.logger=wandb",
    'trainer.wandb={use_wandb=true,project="keys",run_name="one",mode="offline"}',
    "trainer.keep_last=2",
)
CODEC = (
    "data.store=scenes",
    f"data.rate={RATE}",
    "data.segment_seconds=0.7",
    "data.min_source_seconds=0.7",
    'data.train_scenes=["Beach","Park"]',
    'data.val_scenes=["Woodland"]',
    'data.test_scenes=["Cave"]',
    "data.batch_size=4",
    "data.val_batch_size=2",
    "data.val_items=5",
    "trainer.previews={every=0,items=1,at_steps=[3]}",
    "trainer.array_measures={every=0,items=2}",
    *_LOUD,
    *_SMALL_TERMS,
)
MS_STFT = (
    "model.discriminators.0.num_filters=2",
    "model.discriminators.0.n_ffts=[128,64]",
    "model.discriminators.0.hop_lengths=[32,16]",
    "model.discriminators.0.win_lengths=[128,64]",
    "trainer.discriminator.update_probability=0.9",
)
SEANET = (
    "model=tiny",
    *CODEC,
    *MS_STFT,
    "model.generator.num_filters=2",
    "model.generator.latent_dim=4",
    "model.generator.strides=[2,4]",
    "model.generator.residual_layers=2",
)
PAIRED = (
    *SEANET,
    "model.quantizer.codebook_size=8",
    "model.quantizer.bandwidths=[3.0]",
    "trainer.loss_config.pairwise.weights={similarity=0.5,diversity=0.5,classifier=0.1}",
    *(
        f"trainer.loss_config.pairwise.{term}.config.weighting=gradient_share"
        for term in ("similarity", "diversity")
    ),
    "trainer.loss_config.pairwise.diversity.config.kind=hinge",
    "trainer.loss_config.pairwise.classifier.config.hidden=4",
)
SOUNDSTREAM = (
    "model=tiny",
    *CODEC,
    "model.generator.num_filters=2",
    "model.generator.latent_dim=4",
    "model.generator.strides=[2,4]",
    "model.quantizer.num_codebooks=2",
    "model.quantizer.codebook_size=8",
    "model.quantizer.bandwidths=[3.0]",
    "model.quantizer.kmeans_init=true",
    "model.discriminators.0.num_filters=8",
    "model.discriminators.0.n_fft=128",
    "model.discriminators.0.hop_length=32",
    "model.discriminators.1.factors=[1]",
    "model.discriminators.1.num_filters=4",
    "model.discriminators.1.max_filters=8",
    "trainer.stages.0.length={steps=40}",
    "trainer.stages.1.length={steps=50}",
    'trainer.stages.1.discriminators=["stft"]',
    'trainer.stages.1.freeze=["encoder"]',
    "trainer.discriminator.update_probability=0.9",
)
SPECTRAL = (
    "model=tiny",
    *CODEC,
    "model.generator.num_filters=2",
    "model.generator.latent_dim=4",
    "model.generator.n_fft=128",
    "model.generator.hop_length=32",
    "model.generator.win_length=128",
    "model.generator.ratios=[[2,2],[2,1]]",
    "model.generator.seq_model=transformer",
    "model.generator.seq_heads=2",
    "trainer.loss_config.spectral.weights.stft_mse=0.5",
    "trainer.loss_config.bottleneck.weights.kl=0.1",
    "trainer.loss_config.spectral.apply_pre_transform_to_wave_losses=true",
    'model.pre_transform={type="power_norm",alpha=0.65,beta=0.35}',
)
_OOBLECK = (
    *CODEC,
    *MS_STFT,
    "model.generator.num_filters=2",
    "model.generator.multipliers=[1,2]",
    "model.generator.strides=[2,4]",
    "model.generator.latent_dim=4",
)
LOSSLESS = (
    "model=tiny",
    "data.store=integers",
    "data.chunk_size=32",
    "data.num_chunks=60",
    "data.batch_size=4",
    "data.val_batch_size=2",
    "data.val_items=5",
    "data.stereo_blocking_n=16",
    "model.embedding_dim=8",
    "model.num_layers=1",
    "model.num_heads=2",
    'data.train_scenes=["Beach","Park"]',
    'data.val_scenes=["Woodland"]',
    "trainer.max_steps=85",
    *_LOUD,
)


def optimizer(kind: str) -> str:
    """An optimizer by its name alone, but for a rate."""
    more = ",momentum=0.5" if kind in ("SGD", "RMSprop") else ""
    return f'{{type="{kind}",config={{lr=1e-3{more}}}}}'


def schedule(kind: str) -> str:
    """A schedule whose every argument acts within ninety updates."""
    interval = "validation" if kind == "Plateau" else "step"
    return f'{{type="{kind}",enabled=true,interval="{interval}",config={SCHEDULES[kind]}}}'


def moved(kind: str, rate: str, *, lossless: bool) -> tuple[str, ...]:
    """An optimizer and a schedule wherever there may be one."""
    first, second = (f"{optimizer(kind)}", f"{schedule(rate)}")
    sides = "" if lossless else f",discriminator={{optimizer={first},scheduler={second}}}"
    tables = (
        "{name='one',length={steps=40}}",
        f"{{name='two',length={{epochs=5}},optimizer={first},scheduler={second}{sides}}}",
    )
    weights = () if lossless else ("trainer.discriminator.start={epoch=1}",)
    own = () if lossless else ("trainer.discriminator.",)
    return (
        f"trainer.stages=[{','.join(tables)}]",
        *(f"{place}optimizer={first}" for place in ("trainer.", *own)),
        *(f"{place}scheduler={second}" for place in ("trainer.", *own)),
        *weights,
    )


_DISCRIMINATORS = (
    'model.discriminators=[{type="stft",n_fft=128,hop_length=32,num_filters=8,channels="all"},'
    '{type="wave",factors=[1],num_filters=4,max_filters=8,leak=0.1,channels="all"}]'
)
_JUDGED = "trainer.loss_config.adversarial.weights={generator=1.0,feature=1.0}"
_LEARNED = (
    'model.quantizer={type="vq",num_codebooks=2,groups=1,codebook_size=8,'
    "kmeans_init=true,kmeans_iterations=3,dropout=false,bandwidths=[3.0]}"
)
_EPOCHS = (
    "trainer.updates_per_epoch=0",
    "data.items_per_epoch=40",
    "trainer.ema={enabled=true,decay=0.9}",
)
SCENES: dict[str, tuple[Scene, ...]] = {
    "paired": (
        Scene("paired", PAIRED),
        Scene("paired", (*PAIRED, *_EPOCHS, "trainer.discriminator.start={epoch=2}")),
        Scene("paired", (*PAIRED, "model.normalize=gain", "model.gain_db=6.0")),
        Scene(
            "paired",
            (
                *PAIRED,
                _LEARNED,
            ),
        ),
        Scene("paired-bounded", PAIRED),
        Scene("paired-classifier", PAIRED),
    ),
    "mono": (
        Scene(
            "mono",
            (*SEANET, "model.quantizer.codebook_size=8", "model.quantizer.bandwidths=[3.0]"),
        ),
        Scene(
            "mono",
            (*SEANET, *_EPOCHS, _DISCRIMINATORS, 'model.quantizer={type="fsq",levels=[5,4]}'),
        ),
        Scene("mono", (*SEANET, _LEARNED)),
    ),
    "baseline": (
        Scene("baseline-1ch", SEANET),
        Scene("baseline-1ch", (*SEANET, *_EPOCHS)),
        Scene("baseline-1ch", (*SEANET, _LEARNED)),
        Scene("baseline-32ch", SEANET),
    ),
    "soundstream": (
        Scene("soundstream", SOUNDSTREAM),
        Scene(
            "soundstream",
            (
                *SOUNDSTREAM,
                *_EPOCHS,
                "trainer.balancer.enabled=true",
                _LEARNED,
            ),
        ),
    ),
    "spectral": (
        Scene("spectral-vae", SPECTRAL),
        Scene(
            "spectral-vae",
            (*SPECTRAL, *_EPOCHS, _DISCRIMINATORS, _JUDGED, "trainer.balancer.enabled=true"),
        ),
        Scene("spectral-vae", (*SPECTRAL, 'model.pre_transform={type="log_mag",alpha=9.0}')),
        Scene("spectral-complex", SPECTRAL),
        Scene("waveform-vae", _OOBLECK),
    ),
    "lossless": (
        Scene("lossless-8bit", LOSSLESS),
        Scene(
            "lossless-8bit",
            (*LOSSLESS, "trainer.updates_per_epoch=0", "trainer.ema={enabled=true,decay=0.9}"),
        ),
        Scene("lossless-8bit", (*LOSSLESS, "data.audio_dir=audio", "data.channel_mode=one")),
        Scene("lossless-16bit", (*LOSSLESS, "trainer.accumulate_grad_batches=1")),
    ),
}
"""By mode; the first ones are those in which most keys act."""
PLAIN = (
    "trainer.eval_loss_config.terms=[]",
    *(
        f"trainer.loss_config.spectral.weights.{term}=0.0"
        for term in ("mrstft", "linear_mel", "phase")
    ),
)
RATES = (*SCHEDULES, *list(SCHEDULES)[: len(OPTIMIZERS) - len(SCHEDULES)])
MOVED: dict[str, tuple[Scene, ...]] = {
    "soundstream": tuple(
        Scene("soundstream", (*SOUNDSTREAM, *PLAIN, *moved(kind, rate, lossless=False)))
        for kind, rate in zip(OPTIMIZERS, RATES, strict=True)
    ),
    "lossless": tuple(
        Scene("lossless-8bit", (*LOSSLESS, *moved(kind, rate, lossless=True)))
        for kind, rate in zip(OPTIMIZERS, RATES, strict=True)
    ),
}
"""Every optimizer and every schedule at every place, in either kind of recipe."""

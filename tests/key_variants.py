"""Small trainings of each mode with what its own profiles do not have: other parts, stages.

A mode has the tables of all variants, so that `mono` may train SoundStream's networks, too.
"""

from __future__ import annotations

from .key_scenes import (
    CODEC,
    LOSSLESS,
    MS_STFT,
    OPTIMIZERS,
    PAIRED,
    PLAIN,
    RATES,
    SEANET,
    SOUNDSTREAM,
    SPECTRAL,
    Scene,
    moved,
)

_STAGES = (
    'trainer.stages=[{name="one",length={steps=40}},'
    '{name="two",length={epochs=5},discriminators=["DISCRIMINATOR"],freeze=["encoder"]}]'
)
_WAVES = (
    "model=soundstream",
    *CODEC,
    *(entry for entry in SOUNDSTREAM if entry.startswith("model.")),
    _STAGES.replace("DISCRIMINATOR", "stft"),
)
_SPECTRA = (_STAGES.replace("DISCRIMINATOR", "ms_stft"),)
_CODED = ("model.quantizer.codebook_size=8", "model.quantizer.bandwidths=[3.0]")
_LEVELS = 'model.quantizer={type="fsq",levels=[5,4]}'
_NOTHING = 'model.quantizer={type="none"}'
VARIANTS: dict[str, tuple[Scene, ...]] = {
    "paired": (
        Scene("paired", (*_WAVES, "trainer.discriminator.start={step=3}")),
        Scene("paired", (*PAIRED, *_SPECTRA)),
    ),
    "mono": (
        Scene("mono", _WAVES),
        Scene("mono", (*SEANET, _NOTHING, *_SPECTRA)),
    ),
    "baseline": (
        Scene("baseline-1ch", _WAVES),
        Scene("baseline-1ch", (*SEANET, _LEVELS, *_SPECTRA)),
    ),
    "soundstream": (
        Scene("soundstream", (*SOUNDSTREAM, _LEVELS)),
        Scene("soundstream", (*SOUNDSTREAM, _NOTHING)),
        Scene(
            "soundstream",
            (
                "model=seanet",
                *CODEC,
                *MS_STFT,
                *(entry for entry in SEANET if entry.startswith("model.generator.")),
                *_CODED,
                *_SPECTRA,
            ),
        ),
    ),
    "spectral": (
        Scene(
            "spectral-vae",
            (
                *SPECTRAL,
                'model.discriminators=[{type="stft",n_fft=128,hop_length=32,num_filters=8,'
                'channels="all"}]',
                "trainer.loss_config.adversarial.weights={generator=1.0,feature=1.0}",
                _STAGES.replace("DISCRIMINATOR", "stft"),
            ),
        ),
    ),
    "lossless": (
        Scene(
            "lossless-8bit",
            (
                *LOSSLESS,
                'trainer.stages=[{name="one",length={steps=40}},{name="two",length={epochs=5}}]',
            ),
        ),
    ),
}
"""By mode."""
_MOVABLE = {
    "paired": ("paired", PAIRED),
    "mono": ("mono", (*SEANET, *_CODED)),
    "baseline": ("baseline-1ch", SEANET),
    "spectral": ("spectral-vae", VARIANTS["spectral"][0].overrides),
}
MOVED_ELSEWHERE: dict[str, tuple[Scene, ...]] = {
    mode: tuple(
        Scene(profile, (*overrides, *PLAIN, *moved(kind, rate, lossless=False)))
        for kind, rate in zip(OPTIMIZERS, RATES, strict=True)
    )
    for mode, (profile, overrides) in _MOVABLE.items()
}
"""Every optimizer and every schedule at every place, in modes that `key_scenes.MOVED` lacks."""

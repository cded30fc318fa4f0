"""What a profile's codec is called by other implementations, and what they have no word for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from codecctl.engine.profile import Profile
from codecctl.engine.profile.schema_model import Model, SeanetGenerator, Staged
from codecctl.errors import ProfileError

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "channels": "audio_channels",
        "num_filters": "num_filters",
        "latent_dim": "hidden_size",
        "residual_layers": "num_residual_layers",
        "kernel_size": "kernel_size",
        "last_kernel_size": "last_kernel_size",
        "residual_kernel_size": "residual_kernel_size",
        "dilation_base": "dilation_growth_rate",
        "compress": "compress",
        "lstm_layers": "num_lstm_layers",
        "causal": "use_causal_conv",
    }
)
"""Keys of `model.generator` to fields of `transformers.EncodecConfig` with the same value."""
SKIPS: Mapping[str, bool] = MappingProxyType({"conv1x1": True, "identity": False})
"""`model.generator.skip` to `use_conv_shortcut`."""
PAD_MODES: Mapping[str, str] = MappingProxyType({"reflect": "reflect", "zero": "constant"})
"""`model.generator.pad_mode` to `pad_mode`."""


def transformers_config(profile: Profile) -> dict[str, object]:
    """config.json of `transformers.EncodecModel`.

    Raises:
        ProfileError: It has no such network; names the key.
    """
    _refuse("transformers", _obstacles(profile.model, transformers=True))
    generator, quantizer = _described(profile.model)
    own = generator.model_dump(mode="json")
    return {
        "architectures": ["EncodecModel"],
        "model_type": "encodec",
        **{theirs: own[ours] for ours, theirs in FIELDS.items()},
        "upsampling_ratios": own["strides"][::-1],
        "use_conv_shortcut": SKIPS[generator.skip],
        "pad_mode": PAD_MODES[generator.pad_mode],
        "norm_type": "weight_norm",
        "trim_right_ratio": 1.0,  # where nothing is causal, both sides are cut whatever it says
        "sampling_rate": profile.data.rate,
        "normalize": profile.model.normalize != "none",
        "chunk_length_s": None,
        "overlap": None,
        "codebook_size": quantizer.codebook_size,
        "codebook_dim": generator.latent_dim,
        "target_bandwidths": _bandwidths(profile, quantizer),
        "dtype": "float32",
    }


def package_arguments(profile: Profile) -> dict[str, object]:
    """Arguments of the `encodec` package's networks and model, by class.

    Raises:
        ProfileError: It has no such network; names the key.
    """
    _refuse("encodec", _obstacles(profile.model, transformers=False))
    generator, quantizer = _described(profile.model)
    seanet = {
        "channels": generator.channels,
        "dimension": generator.latent_dim,
        "n_filters": generator.num_filters,
        "n_residual_layers": generator.residual_layers,
        "ratios": list(generator.strides)[::-1],
        "kernel_size": generator.kernel_size,
        "last_kernel_size": generator.last_kernel_size,
        "residual_kernel_size": generator.residual_kernel_size,
        "dilation_base": generator.dilation_base,
        "compress": generator.compress,
        "lstm": generator.lstm_layers,
        "true_skip": generator.skip == "identity",
        "norm": generator.norm,
        "causal": generator.causal,
        "pad_mode": PAD_MODES[generator.pad_mode],
    }
    return {
        "seanet": seanet,
        "quantizer": {
            "dimension": generator.latent_dim,
            "n_q": quantizer.num_codebooks,
            "bins": quantizer.codebook_size,
        },
        "model": {
            "target_bandwidths": _bandwidths(profile, quantizer),
            "sample_rate": profile.data.rate,
            "channels": generator.channels,
            "normalize": profile.model.normalize != "none",
        },
    }


def _obstacles(model: Model, *, transformers: bool) -> Iterator[tuple[str, object, str]]:
    """Key, what was found and what is needed, of all that has no counterpart."""
    generator, quantizer = model.generator, model.quantizer
    if generator.channels > 2:
        yield "model.generator.channels", generator.channels, "1 or 2"
    levels = ("none", "rms", "rms_channels") if generator.channels == 1 else ("none",)
    if model.normalize not in levels:
        yield "model.normalize", model.normalize, " or ".join(levels[:2])
    if not isinstance(generator, SeanetGenerator):
        yield "model.generator.type", generator.type, "seanet"
        return
    if transformers and generator.norm != "weight_norm":
        yield "model.generator.norm", generator.norm, "weight_norm"
    if transformers and not generator.lstm_layers:
        yield "model.generator.lstm_layers", 0, "1 or more"
    if not isinstance(quantizer, Staged):
        yield "model.quantizer.type", quantizer.type, "rvq or vq"
        return
    if quantizer.groups > 1:
        yield "model.quantizer.groups", quantizer.groups, "1"
    if not math.log2(quantizer.codebook_size).is_integer():
        yield "model.quantizer.codebook_size", quantizer.codebook_size, "a power of 2"


def _refuse(what: str, obstacles: Iterator[tuple[str, object, str]]) -> None:
    problems = [
        f"{key}: found {found}, needed {needed}: {what} has no such network; use --format "
        "safetensors"
        for key, found, needed in obstacles
    ]
    if problems:
        raise ProfileError(problems)


def _described(model: Model) -> tuple[SeanetGenerator, Staged]:
    """Generator and quantizer of a model that nothing stands in the way of."""
    generator, quantizer = model.generator, model.quantizer
    assert isinstance(generator, SeanetGenerator), generator
    assert isinstance(quantizer, Staged), quantizer
    return generator, quantizer


def _bandwidths(profile: Profile, quantizer: Staged) -> list[float]:
    """The profile's bitrates that the codebooks reach, the last of them that of all codebooks.

    Both implementations round the frame rate up, and take the number of codebooks from the last
    bitrate.
    """
    frame_rate = math.ceil(profile.data.rate / math.prod(profile.model.generator.strides))
    bits_per_second = frame_rate * round(math.log2(quantizer.codebook_size))
    offered = {int(1000 * kbps // bits_per_second) for kbps in quantizer.bandwidths}
    stages = {count for count in offered if 0 < count < quantizer.num_codebooks}
    return [_kbps(count, bits_per_second) for count in sorted({*stages, quantizer.num_codebooks})]


def _kbps(stages: int, bits_per_second: int) -> float:
    """The bitrate of so many codebooks, from which rounding down gives them again."""
    kbps = stages * bits_per_second / 1000
    return kbps if 1000 * kbps // bits_per_second == stages else math.nextafter(kbps, math.inf)

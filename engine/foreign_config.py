"""Configurations of EnCodec models from elsewhere as overrides of the profile `mono`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from codecctl.engine.export_config import FIELDS, PAD_MODES, SKIPS
from codecctl.errors import DataError

LARGEST = 1 << 16
"""Of any size: a configuration must not make this program build what no machine holds."""
DEEPEST = 64
"""Of any number of layers."""
_FIXED = {"norm_type": "weight_norm", "trim_right_ratio": 1.0, "chunk_length_s": None}
_PACKAGE = {
    "channels": "audio_channels",
    "n_filters": "num_filters",
    "dimension": "hidden_size",
    "n_residual_layers": "num_residual_layers",
    "kernel_size": "kernel_size",
    "last_kernel_size": "last_kernel_size",
    "residual_kernel_size": "residual_kernel_size",
    "dilation_base": "dilation_growth_rate",
    "compress": "compress",
    "lstm": "num_lstm_layers",
    "causal": "use_causal_conv",
    "ratios": "upsampling_ratios",
    "pad_mode": "pad_mode",
}
"""Arguments of the package's networks to fields of `transformers`."""


def overrides_of_config(config: Mapping[str, object], *, label: str) -> tuple[str, ...]:
    """Overrides that give `mono` the sizes of a `transformers.EncodecConfig`.

    Raises:
        DataError: A value is out of bounds, or means what this version does not have.
    """
    return tuple(_overrides(config, label))


def overrides_of_package(arguments: str, *, label: str) -> tuple[str, ...]:
    """The same of the arguments that `codecctl export --format encodec` keeps in the file.

    Raises:
        DataError: A value is out of bounds, or means what this version does not have.
    """
    try:
        found = json.loads(arguments)
        seanet, model = dict(found["seanet"]), dict(found["model"])
        config = {theirs: seanet[ours] for ours, theirs in _PACKAGE.items()}
        config["norm_type"] = seanet["norm"]
        config["use_conv_shortcut"] = not seanet["true_skip"]
        config["sampling_rate"], config["normalize"] = model["sample_rate"], model["normalize"]
        config["target_bandwidths"] = model["target_bandwidths"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{label}: metadata encodec: found no arguments: {error!r}") from error
    return overrides_of_config(config, label=label)


def _overrides(config: Mapping[str, object], label: str) -> Iterator[str]:
    for field, needed in _FIXED.items():
        if config.get(field, needed) != needed:
            found = json.dumps(config[field])
            raise DataError(
                f"{label}: {field}: found {found}, needed {json.dumps(needed)}: this version has "
                "no such network"
            )
    for ours, theirs in FIELDS.items():
        if theirs in config:
            least = 0 if ours in ("residual_layers", "lstm_layers") else 1
            most = DEEPEST if ours in ("residual_layers", "lstm_layers") else LARGEST
            value = config[theirs]
            if ours != "causal":
                _whole(value, f"{label}: {theirs}", least, most)
            elif not isinstance(value, bool):
                raise DataError(
                    f"{label}: {theirs}: found {json.dumps(value)}, needed true or false"
                )
            yield f"model.generator.{ours}={json.dumps(value)}"
    yield from _strides(config, label)
    yield from _words(config, label)


def _strides(config: Mapping[str, object], label: str) -> Iterator[str]:
    ratios = config.get("upsampling_ratios")
    if ratios is not None:
        where = f"{label}: upsampling_ratios"
        if not isinstance(ratios, list) or not 1 <= len(ratios) <= 16:
            raise DataError(
                f"{where}: found {json.dumps(ratios)}, needed a list of 1 to 16 numbers"
            )
        for ratio in ratios:
            _whole(ratio, where, 1, 1024)
        yield f"model.generator.strides={json.dumps(ratios[::-1])}"
    rate = config.get("sampling_rate", 24_000)
    _whole(rate, f"{label}: sampling_rate", 1000, 1_000_000)
    yield f"data.rate={rate}"


def _words(config: Mapping[str, object], label: str) -> Iterator[str]:
    if config.get("normalize") and config.get("audio_channels", 1) != 1:
        raise DataError(
            f"{label}: normalize: found true with {config['audio_channels']} audio_channels, "
            "needed false: the level here is of all channels' power, there of their mean"
        )
    yield f"model.normalize={'rms' if config.get('normalize') else 'none'}"
    shortcuts = {there: here for here, there in SKIPS.items()}
    shortcut = config.get("use_conv_shortcut", True)
    modes = {there: here for here, there in PAD_MODES.items()}
    mode = config.get("pad_mode", "reflect")
    if shortcut not in shortcuts or mode not in modes:
        raise DataError(
            f"{label}: use_conv_shortcut and pad_mode: found {json.dumps([shortcut, mode])}, "
            "needed true or false, and reflect or constant"
        )
    yield f"model.generator.skip={shortcuts[bool(shortcut)]}"
    yield f"model.generator.pad_mode={modes[str(mode)]}"
    if "use_causal_conv" in config and not config["use_causal_conv"]:
        yield "model.generator.trim_right_ratio=0.5"
    rates = config.get("target_bandwidths")
    if isinstance(rates, list) and rates:
        yield f"model.quantizer.bandwidths={json.dumps(rates)}"


def _whole(value: object, where: str, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise DataError(
            f"{where}: found {json.dumps(value)}, needed a whole number from {least} to {most}"
        )

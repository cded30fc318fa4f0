"""Whole codecs through the files of `codecctl export` and `import`, for `benchmarks.parity`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks.parity_rows import SAMPLES, Row, audio, largest, package_model
from codecctl.engine.build import build_networks
from codecctl.engine.export import export_encodec, export_transformers
from codecctl.engine.export_files import write_export
from codecctl.engine.foreign import read_foreign
from codecctl.engine.imported import built, resolve_foreign
from codecctl.engine.profile import Profile, load_profile, profile_hash
from codecctl.engine.quantizers import ResidualVectorQuantizer
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.trained import Trained


@torch.no_grad()
def of_files() -> Iterator[Row]:
    """Whole codecs through files, both ways: the profile `paired`, the package's 24 kHz model."""
    from transformers import EncodecModel

    with tempfile.TemporaryDirectory() as folder:
        trained = profile_codec()
        codes, waves, *_ = trained.network(audio()).codes, trained.network(audio()).estimate
        write_export(Path(folder) / "hf", export_transformers(trained).files)
        theirs = EncodecModel.from_pretrained(Path(folder) / "hf").eval()
        found = theirs.encode(audio(), bandwidth=theirs.config.target_bandwidths[-1])
        decoded = theirs.decode(found.audio_codes, found.audio_scales)[0][..., :SAMPLES]
        what = "`export --format transformers` of `paired`, one second"
        yield differing(f"{what}: codes that differ", "transformers", found.audio_codes[0], codes)
        yield Row(f"{what}: audio", "transformers", largest(decoded, waves), 1e-6)

        package = package_model()
        state = Path(folder) / "encodec.th"
        torch.save(package.state_dict(), state)
        taken = imported(state)
        (frame,) = package.encode(audio())
        coded = taken(audio())
        yield differing(
            "`import` of a state dict: codes that differ", "encodec", coded.codes, frame[0]
        )
        waves = package.decode([frame])[..., :SAMPLES]
        yield Row(
            "`import` of a state dict: audio", "encodec", largest(coded.estimate, waves), 1e-6
        )

        back = replace(trained, network=taken, profile=official_profile(state))
        write_export(Path(folder) / "back.safetensors", export_encodec(back).files)
        package.load_state_dict(load_file(Path(folder) / "back.safetensors"))
        waves_back = package.decode(package.encode(audio()))[..., :SAMPLES]
        what = "`export --format encodec` of it, loaded by the package: audio"
        yield Row(what, "encodec", largest(waves_back, waves), 0.0)


def differing(what: str, against: str, codes: Tensor, expected: Tensor) -> Row:
    """The share of codes that are not equal, as a row that allows none."""
    return Row(what, against, (codes != expected).double().mean().item(), 0.0)


def profile_codec() -> Trained:
    """The codec of the profile `paired` at full size, with random weights and codebooks."""
    profile = load_profile("paired").profile
    network, _ = build_networks(profile)
    cast(ResidualVectorQuantizer, network.quantizer).codebooks.normal_()
    return Trained(
        network=network.eval(),
        profile=profile,
        profile_hash=profile_hash(profile),
        run="parity",
        checkpoint="step-000000000",
        step=0,
        weights="last",
    )


def imported(state: Path) -> CodecNetwork:
    """The codec that `codecctl import` makes of a file."""
    foreign = read_foreign(state)
    return built(foreign, resolve_foreign(foreign, label=str(state)), label=str(state))


def official_profile(state: Path) -> Profile:
    """The profile that `codecctl import` gives it."""
    return resolve_foreign(read_foreign(state), label=str(state)).profile

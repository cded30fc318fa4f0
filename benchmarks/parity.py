"""Networks, codes, losses and gradients here against other implementations, as a table.

    .venv/bin/python benchmarks/parity.py [--write]

Equal weights on both sides, random but seeded; the largest absolute difference, or what the row
says. `--write` replaces `docs/parity.md`. Needs the packages `encodec` and `transformers`; half a
minute. The same bounds are held by tests marked `oracle`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codecctl.engine.balancer import Balancer, gradients_of
from codecctl.engine.losses.mel import MultiScaleMelLoss
from codecctl.engine.losses.waveform import time_distance
from codecctl.engine.networks import Autoencoder, MultiScaleSTFTDiscriminator, SEANetLayout
from codecctl.engine.networks.encodec_state import autoencoder_state, discriminator_state
from codecctl.engine.profile import load_profile
from codecctl.engine.quantizers import ResidualVectorQuantizer
from codecctl.engine.quantizers.encodec_state import quantizer_state

DOCUMENT = Path(__file__).parents[1] / "docs" / "parity.md"
SAMPLES = 24_000
BOOKS = 8


@dataclass(frozen=True)
class Row:
    """One comparison."""

    what: str
    against: str
    found: float
    bound: float

    def text(self) -> str:
        """A line of the table."""
        held = "held" if self.found <= self.bound else "MISSED"
        return f"| {self.what} | {self.against} | {self.found:.2g} | {self.bound:g} | {held} |"


def main() -> None:
    """Compare, print, and write the document where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace docs/parity.md")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows = [row for compare in (of_encodec, of_transformers, of_discriminator) for row in compare()]
    rows += of_step()
    text = document(rows)
    print(text)
    if arguments.write:
        DOCUMENT.write_text(text)
    sys.exit(0 if all(row.found <= row.bound for row in rows) else 1)


def document(rows: list[Row]) -> str:
    """The page with the table."""
    head = (
        "# Parity with other implementations\n\n"
        "Written by `benchmarks/parity.py --write`: equal seeded weights on both sides, the "
        "largest absolute difference unless the row says otherwise, float32 on a CPU with one "
        "thread.\n\n"
        "| what | against | found | bound | |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(row.text() for row in rows) + "\n"


def audio(seed: int = 0) -> Tensor:
    """Two seconds of noise, (2, 1, SAMPLES)."""
    return 0.1 * torch.randn(2, 1, SAMPLES, generator=torch.Generator().manual_seed(seed))


def package_model() -> Any:
    """The 24 kHz model of the `encodec` package with random weights and codebooks."""
    import encodec

    torch.manual_seed(0)
    model = encodec.EncodecModel.encodec_model_24khz(pretrained=False).eval()
    for layer in model.quantizer.vq.layers:
        layer.codebook.normal_()
    return model


def ours(state: dict[str, Tensor]) -> tuple[Autoencoder, ResidualVectorQuantizer]:
    """Our networks with the weights of a package's model."""
    settings = load_profile("paired").profile.model.generator.model_dump(exclude={"type"})
    network = SEANetLayout(**settings).build()
    network.load_state_dict(autoencoder_state(state))
    quantizer = ResidualVectorQuantizer(
        dim=128,
        num_codebooks=BOOKS,
        codebook_size=1024,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=0,
        dead_threshold=0.0,
        ema="correct",
    ).eval()
    quantizer.load_state_dict(quantizer_state(state, num_codebooks=BOOKS))
    return network, quantizer


@torch.no_grad()
def of_encodec() -> Iterator[Row]:
    """Encoder, codes, decoder of the `encodec` package."""
    theirs = package_model()
    network, quantizer = ours(theirs.state_dict())
    latent = theirs.encoder(audio())
    yield Row("SEANet encoder", "encodec", largest(network.encode(audio()), latent), 1e-6)
    codes = theirs.quantizer.vq.encode(latent, n_q=BOOKS).transpose(0, 1)
    differing = (quantizer.encode(latent) != codes).double().mean().item()
    yield Row(f"codes of {BOOKS} codebooks, share that differs", "encodec", differing, 0.0)
    decoded = theirs.quantizer.decode(codes.transpose(0, 1))
    yield Row("decoded latent", "encodec", largest(quantizer.decode(codes), decoded), 1e-6)
    waves = theirs.decoder(latent)[..., :SAMPLES]
    yield Row("SEANet decoder", "encodec", largest(network.decode(latent, SAMPLES), waves), 1e-6)


@torch.no_grad()
def of_transformers() -> Iterator[Row]:
    """The same of `transformers`, which is handed the weights of the package."""
    from transformers import EncodecConfig, EncodecModel

    package = package_model()
    state = package.state_dict()
    theirs = EncodecModel(EncodecConfig(upsampling_ratios=[8, 5, 4, 2])).eval()
    theirs.load_state_dict(renamed_for_transformers(state), strict=False)
    network, quantizer = ours(state)
    latent = theirs.encoder(audio())
    yield Row("SEANet encoder", "transformers", largest(network.encode(audio()), latent), 1e-6)
    codes = theirs.quantizer.encode(latent, 0.75 * BOOKS).transpose(0, 1)
    differing = (quantizer.encode(latent) != codes).double().mean().item()
    yield Row(f"codes of {BOOKS} codebooks, share that differs", "transformers", differing, 0.0)
    waves = theirs.decoder(latent)[..., :SAMPLES]
    found = largest(network.decode(latent, SAMPLES), waves)
    yield Row("SEANet decoder", "transformers", found, 1e-6)


def renamed_for_transformers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The package's weights under the names of `transformers`."""
    parts = {
        "coder.model.": "coder.layers.",
        ".conv.conv.": ".conv.",
        ".convtr.convtr.": ".conv.",
        "weight_g": "parametrizations.weight.original0",
        "weight_v": "parametrizations.weight.original1",
        "quantizer.vq.layers.": "quantizer.layers.",
        "._codebook.": ".codebook.",
    }
    names = {}
    for name in state:
        new = name
        for old, other in parts.items():
            new = new.replace(old, other)
        names[name] = new
    return {names[name]: tensor for name, tensor in state.items()}


def of_discriminator() -> Iterator[Row]:
    """Logits and feature maps of the discriminator."""
    from encodec.msstftd import MultiScaleSTFTDiscriminator as Theirs

    torch.manual_seed(0)
    theirs = Theirs(filters=32)
    network = MultiScaleSTFTDiscriminator(
        channels=1,
        n_ffts=[1024, 2048, 512],
        hop_lengths=[256, 512, 128],
        win_lengths=[1024, 2048, 512],
        num_filters=32,
        kernel_size=[3, 9],
        dilations=[1, 2, 4],
        stride=[1, 2],
        feature_maps_include_logits=False,
        leak=0.2,
    )
    network.load_state_dict(discriminator_state(theirs.state_dict()))
    with torch.no_grad():
        judgements, (logits, maps) = network(audio()), theirs(audio())
    found = max(largest(one, other) for (one, _), other in zip(judgements, logits, strict=True))
    yield Row("STFT discriminator, logits", "encodec", found, 1e-5)
    pairs = zip((features for _, features in judgements), maps, strict=True)
    found = max(largest(a, b) for one, other in pairs for a, b in zip(one, other, strict=True))
    yield Row("STFT discriminator, feature maps", "encodec", found, 1e-5)


def of_step() -> list[Row]:
    """Gradients of every weight after one balanced backward pass."""
    package = package_model().train()
    network, _ = ours(package.state_dict())
    weights = {"time": 0.1, "mel": 1.0}
    mel = MultiScaleMelLoss(scales=(5, 6, 7, 8, 9, 10, 11), num_mels=64, sample_rate=24_000)
    terms: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"time": time_distance, "mel": mel}

    theirs: Tensor = package.decoder(package.encoder(audio()))[..., :SAMPLES]
    torch.autograd.backward((theirs * by_formula(theirs.detach(), terms, weights)).sum())

    output: Tensor = network.decode(network.encode(audio()), SAMPLES)
    leaf = output.detach().requires_grad_()
    balancer = Balancer(
        weights, weights, total_norm=1.0, decay=0.999, epsilon=1e-12, device=leaf.device
    )
    losses = {name: term(leaf, audio()).mean() for name, term in terms.items()}
    balanced = balancer.combine(gradients_of(losses, leaf, keep_graph=False))
    torch.autograd.backward((output * balanced.gradient).sum())

    expected = autoencoder_state(gradients(package))
    found = max(
        ((gradient - expected[name]).norm() / expected[name].norm()).item()
        for name, gradient in gradients(network).items()
    )
    what = "gradient of every weight, one balanced step, relative norm"
    return [Row(what, "encodec, balance by its formula", found, 1e-4)]


def by_formula(
    estimate: Tensor,
    terms: dict[str, Callable[[Tensor, Tensor], Tensor]],
    weights: dict[str, float],
) -> Tensor:
    """The balanced gradient of a first step in float64 (2210.13438, section 3.4)."""
    total = torch.zeros_like(estimate, dtype=torch.float64)
    for name, term in terms.items():
        leaf = estimate.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(term(leaf, audio()).mean(), leaf)
        exact = gradient.double()
        norm = exact.flatten(1).norm(dim=1).mean()
        total += weights[name] / sum(weights.values()) * exact / norm
    return total.float()


def gradients(network: nn.Module) -> dict[str, Tensor]:
    """Gradients by the name of the weight."""
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def largest(one: Tensor, other: Tensor) -> float:
    """Largest absolute difference."""
    return (one - other).abs().max().item()


if __name__ == "__main__":
    main()

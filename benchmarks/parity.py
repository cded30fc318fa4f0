"""Networks, codes, losses and gradients here against other implementations, as a table.

    .venv/bin/python -m benchmarks.parity [--write]

Equal weights on both sides, random but seeded; the largest absolute difference, or what the row
says. `--write` replaces `docs/parity.md`. Needs the extra `oracles`; half a minute. The same
bounds are held by tests marked `oracle`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks import parity_formulas
from benchmarks.parity_files import of_files
from benchmarks.parity_rows import SAMPLES, Row, audio, largest, package_model
from benchmarks.parity_spectra import of_spectra
from codecctl.engine.balancer import Balancer, gradients_of
from codecctl.engine.losses import LOSSES
from codecctl.engine.losses.mel import MultiScaleMelLoss
from codecctl.engine.losses.waveform import time_distance
from codecctl.engine.networks import Autoencoder, MultiScaleSTFTDiscriminator, SEANetLayout
from codecctl.engine.networks.encodec_state import (
    autoencoder_state,
    discriminator_state,
    transformers_state,
)
from codecctl.engine.profile import load_profile
from codecctl.engine.quantizers import ResidualVectorQuantizer, encodec_state
from codecctl.engine.quantizers.encodec_state import quantizer_state

DOCUMENT = Path(__file__).parents[1] / "docs" / "parity.md"
BOOKS = 8


def main() -> None:
    """Compare, print, and write the document where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace docs/parity.md")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    comparisons = (of_encodec, of_transformers, of_files, of_discriminator, of_losses, of_balance)
    rows = [row for compare in comparisons for row in compare()]
    rows += [*of_step(), *of_spectra()]
    text = document(rows)
    print(text)
    if arguments.write:
        DOCUMENT.write_text(text)
    sys.exit(0 if all(row.found <= row.bound for row in rows) else 1)


def document(rows: list[Row]) -> str:
    """The page with the table."""
    head = (
        "# Parity with other implementations\n\n"
        "Written by `python -m benchmarks.parity --write`: equal seeded weights on both sides, the "
        "largest absolute difference unless the row says otherwise, float32 on a CPU with one "
        "thread.\n\n"
        "| what | against | found | bound | |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(row.text() for row in rows) + "\n"


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
    network, quantizer = ours(package.state_dict())
    codebooks = encodec_state.quantizer_state(package.state_dict(), num_codebooks=32)
    theirs = EncodecModel(EncodecConfig()).eval()
    theirs.load_state_dict(
        transformers_state(network)
        | encodec_state.named_codebooks(**codebooks, prefix=encodec_state.TRANSFORMERS)
    )
    latent = theirs.encoder(audio())
    yield Row("SEANet encoder", "transformers", largest(network.encode(audio()), latent), 1e-6)
    codes = theirs.quantizer.encode(latent, 0.75 * BOOKS).transpose(0, 1)
    differing = (quantizer.encode(latent) != codes).double().mean().item()
    yield Row(f"codes of {BOOKS} codebooks, share that differs", "transformers", differing, 0.0)
    waves = theirs.decoder(latent)[..., :SAMPLES]
    found = largest(network.decode(latent, SAMPLES), waves)
    yield Row("SEANet decoder", "transformers", found, 1e-6)


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


def of_losses() -> Iterator[Row]:
    """Both mel terms, relative to their formulas."""
    reference = audio(1) * torch.tensor([1.0, 0.1])[:, None, None]
    for kind, formula in parity_formulas.TERMS.items():
        loss = LOSSES["mel"](
            sample_rate=parity_formulas.RATE,
            kind=kind,
            scales=parity_formulas.SCALES,
            num_mels=parity_formulas.MELS,
        )
        found = loss(audio(), reference).tolist()
        pairs = zip(audio().double().numpy(), reference.double().numpy(), strict=True)
        expected = [formula(one[0], other[0]) for one, other in pairs]
        what = f"mel term `{kind}`, relative"
        against = "formula in float64 NumPy"
        yield Row(what, against, parity_formulas.relative(found, expected), 1e-4)


def of_balance() -> Iterator[Row]:
    """Ten steps of the balancer on gradients of very different sizes, relative."""
    weights = {"time": 0.1, "mel": 1.0, "generator": 3.0, "feature": 3.0}
    ours = Balancer(
        weights, weights, total_norm=1.0, decay=0.999, epsilon=1e-12, device=torch.device("cpu")
    )
    theirs = parity_formulas.Balance(weights, total_norm=1.0, decay=0.999)
    generator = torch.Generator().manual_seed(0)
    found = 0.0
    for _ in range(10):
        gradients = {
            name: 10.0**power * torch.randn(4, 1, 500, generator=generator, dtype=torch.float64)
            for power, name in enumerate(weights, start=-3)
        }
        expected = theirs.combine({name: part.numpy() for name, part in gradients.items()})
        difference = ours.combine(gradients).gradient.numpy() - expected
        found = max(found, float(abs(difference).max() / abs(expected).max()))
    what = "balanced gradient of four terms, ten steps, relative"
    yield Row(what, "formula in float64 NumPy", found, 1e-12)


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


if __name__ == "__main__":
    main()

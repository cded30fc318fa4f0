"""What each term of a profile costs beside the mel term of `paired`, forward and backward.

    .venv/bin/python -m benchmarks.losses

16 seconds of one channel at 24 kHz, one thread, median of 7 interleaved rounds.
"""

from __future__ import annotations

import statistics
import time

import torch

from codecctl.engine.losses import LOSSES
from codecctl.engine.profile import load_profile

ROUNDS = 7


def main() -> None:
    """Print one row for each term."""
    torch.set_num_threads(1)
    groups = load_profile("paired").profile.trainer.loss_config
    terms = {
        name: LOSSES[name](sample_rate=24_000, **term.config.model_dump())
        for group in (groups.reconstruction, groups.spectral)
        for name, term in group
        if name in LOSSES
    }
    generator = torch.Generator().manual_seed(0)
    estimate, reference = 0.1 * torch.randn(2, 16, 1, 24_000, generator=generator)
    estimate.requires_grad_()
    seconds: dict[str, list[float]] = {name: [] for name in terms}
    for _ in range(ROUNDS + 1):
        for name, loss in terms.items():
            started = time.perf_counter()
            torch.autograd.grad(loss(estimate, reference).sum(), estimate)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(found[1:]) for name, found in seconds.items()}
    print("| term | ms | beside `mel` |\n|---|---|---|")
    for name, found in medians.items():
        print(f"| `{name}` | {1000 * found:.1f} | {found / medians['mel']:.2f} |")


if __name__ == "__main__":
    main()

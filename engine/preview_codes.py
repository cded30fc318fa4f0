"""The codes of what people listen to, beside its audio, for readers without torch.

previews/step-000000500/item-000.codes.json

{"schema": 1, "sample_rate": 24000, "hop_length": 320, "codebook_size": 1024,
 "codes": [[[F codes] for each of K codebooks] for each signal]}

A signal is a capsule, or all of them where one stream codes them together.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from codecctl.engine.recipes.measuring import evaluating
from codecctl.engine.recipes.network import CodecNetwork

SCHEMA = 1
SUFFIX = ".codes.json"


@dataclass(frozen=True)
class PreviewCodes:
    """Codes items with the network that reconstructs them.

    Args:
        network: A codec with codebooks.
    """

    network: CodecNetwork

    def of(self, audio: Tensor) -> dict[str, object]:
        """The contents of a file.

        Args:
            audio: One item (1, M, T) on the device of the network.
        """
        network = self.network
        with evaluating([network]):
            latent = network.encode(audio.reshape(-1, network.channels, audio.shape[-1]))
            codes = network.quantizer.encode(latent)  # (M / C, K, F)
        return {
            "schema": SCHEMA,
            "sample_rate": network.sample_rate,
            "hop_length": network.autoencoder.hop_length,
            "codebook_size": network.quantizer.codebook_size,
            "codes": codes.tolist(),
        }


def preview_codes(network: object) -> PreviewCodes | None:
    """What codes the items of a network; None where it makes no codes."""
    if not isinstance(network, CodecNetwork) or not network.quantizer.num_codebooks:
        return None
    return PreviewCodes(network)

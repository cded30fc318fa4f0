"""The auxiliary classifier of a profile, and whether a store allows it."""

from __future__ import annotations

from typing import cast

import torch

from codecctl.datasets.store import AudioSource
from codecctl.engine.build_player import build_player
from codecctl.engine.profile import Profile
from codecctl.engine.recipes.base import Runtime
from codecctl.engine.recipes.capsule_classifier import CapsuleClassifier, CapsuleNetwork
from codecctl.engine.task import WHOLE, Task
from codecctl.errors import ProfileError


def build_classifier(
    profile: Profile, runtime: Runtime, updates_per_epoch: int, task: Task = WHOLE
) -> CapsuleClassifier | None:
    """The classifier of capsules with its optimizer; None where its weight is 0.

    Its weights are drawn apart from those of the codec, which therefore starts the same without it.
    """
    trainer, pairwise = profile.trainer, profile.trainer.loss_config.pairwise
    if not pairwise.weights.classifier:
        return None
    config = pairwise.classifier.config
    carried = task.networks.get("classifier")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trainer.seed)
        network = CapsuleNetwork(
            profile.model.generator.latent_dim,
            hidden=config.hidden,
            num_capsules=config.num_capsules,
        )
    if carried is not None:
        network = cast(CapsuleNetwork, carried)
    player = build_player(
        network,
        trainer,
        trainer=trainer,
        runtime=runtime,
        updates_per_epoch=updates_per_epoch,
        span=task.generator,
    )
    return CapsuleClassifier(
        player, network, stage=config.stage, weight=pairwise.weights.classifier
    )


def refuse_more_capsules(profile: Profile, store: AudioSource) -> None:
    """See that the classifier knows every channel of a store.

    Raises:
        ProfileError: A recording has more channels.
    """
    pairwise = profile.trainer.loss_config.pairwise
    known = pairwise.classifier.config.num_capsules
    most = max((info.channels for info in store.recordings), default=0)
    if pairwise.weights.classifier and most > known:
        raise ProfileError(
            f"trainer.loss_config.pairwise.classifier.config.num_capsules: found {known}, needed "
            f"{most}: the channels of the largest recording of store {store.name}"
        )

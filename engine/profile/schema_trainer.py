"""`trainer.`: optimization, schedules, validation, checkpoints and trackers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, Tag
from pydantic import Discriminator as ChosenBy

from codecctl.engine.profile.constraints import (
    CLOSED,
    Count,
    CountOrZero,
    Decay,
    NotNegative,
    Positive,
    Share,
    Text,
)
from codecctl.engine.profile.schema_balancer import Balancer
from codecctl.engine.profile.schema_conduct import Conduct
from codecctl.engine.profile.schema_eval_losses import EvalLosses
from codecctl.engine.profile.schema_losses import Losses
from codecctl.engine.profile.schema_optimizers import Optimizer
from codecctl.engine.profile.schema_schedules import Scheduler
from codecctl.engine.profile.schema_stages import Stage


class StartAtEpoch(BaseModel):
    """Something begins with an epoch."""

    model_config = CLOSED

    epoch: Count
    """Counted from 1."""

    def first_step(self, updates_per_epoch: int) -> int:
        """The first step, counted from 0, of the epoch."""
        return (self.epoch - 1) * updates_per_epoch


class StartAtStep(BaseModel):
    """Something begins with a step."""

    model_config = CLOSED

    step: CountOrZero
    """Counted from 0."""

    def first_step(self, updates_per_epoch: int) -> int:
        """The step; `updates_per_epoch` has no influence."""
        del updates_per_epoch
        return self.step


def _kind_of_start(value: object) -> str:
    keys = value if isinstance(value, dict) else ()
    return "at step" if "step" in keys or isinstance(value, StartAtStep) else "at epoch"


Start = Annotated[
    Annotated[StartAtEpoch, Tag("at epoch")] | Annotated[StartAtStep, Tag("at step")],
    ChosenBy(_kind_of_start),
]


class Adversary(BaseModel):
    """How the discriminators are trained."""

    model_config = CLOSED

    optimizer: Optimizer
    scheduler: Scheduler
    start: Start
    """`{epoch = N}` from 1 or `{step = N}` from 0: before it neither the discriminators nor the
    terms that they judge act."""
    update_probability: Annotated[float, Field(gt=0, le=1)]
    """Chance that a step updates the discriminators."""
    update_every: Count
    """Steps between updates."""
    gradient_clip_val: NotNegative
    """Largest norm of the gradient; 0: no limit."""
    adversarial_before_start: bool
    """true: the generator is trained against untrained discriminators before `start`."""


class MovingAverage(BaseModel):
    """Averaged weights of the generator, kept beside the trained ones."""

    model_config = CLOSED

    enabled: bool
    """Validation, previews and the best checkpoint are of the averaged weights."""
    decay: Decay
    """Weight of what was averaged before, per update; the average spans 1 / (1 - decay) of them."""


class Previews(BaseModel):
    """Reconstructions of fixed validation items, written as audio."""

    model_config = CLOSED

    every: CountOrZero
    """Steps between previews; 0: at every validation."""
    items: CountOrZero
    """How many of the validation items; 0: none."""
    at_steps: tuple[CountOrZero, ...]
    """Further steps."""


class ArrayMeasures(BaseModel):
    """Whole arrays that are coded beside the validation: what the codes of all capsules share."""

    model_config = CLOSED

    every: CountOrZero
    """Steps between them, at steps that validate; 0: with every validation. The last step always
    has one."""
    items: CountOrZero
    """Windows of all 32 capsules, 2 or more; 0: none."""


class Wandb(BaseModel):
    """Mirror of the metrics in Weights & Biases."""

    model_config = CLOSED

    use_wandb: bool
    """false: not even where `trainer.logger` names it."""
    project: Text
    """Where the runs are gathered."""
    run_name: str
    """Empty: the name of the run directory."""
    mode: Literal["auto", "online", "offline", "disabled"]
    """auto: online when logged in and the host answers within 2 s, else offline."""


class Trainer(Conduct):
    """One training."""

    model_config = CLOSED

    seed: CountOrZero
    """Of initialization, batches and everything drawn in a step."""
    strategy: Literal["auto", "ddp", "fsdp", "deepspeed"]
    """Several processes each take a part of every batch and average gradients: auto and ddp. With
    fsdp, each also holds but its part of weights and moments between updates, with deepspeed (an
    extra of the package) of moments alone; both for recipes with one optimizer."""
    num_gpus: Literal["auto"] | CountOrZero
    """Per node; auto: as many of the visible ones as divide the batch, 0: CPU."""
    num_nodes: Count
    """More than one: start the command once on each of them."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"]
    """Of networks; audio, quantizer, spectra, losses and balancer stay in 32 bit. 16-mixed is for
    GPUs without bfloat16: it scales losses, and leaves out an update whose gradient overflows."""
    compile: bool
    """Compile the networks with torch.compile."""
    max_epochs: Count
    """End of the training and of the schedules."""
    max_steps: Annotated[int, Field(ge=-1)]
    """End of the training where it comes before `max_epochs`; -1: none."""
    updates_per_epoch: CountOrZero
    """Steps that make an epoch; 0: data.items_per_epoch / data.batch_size."""
    order: Literal["generator_first", "discriminator_first"]
    """Who is updated first in a step."""
    stages: tuple[Stage, ...]
    """Parts of the training, one after the other, each with its own weights, optimizers and what
    is frozen; empty: one training. With stages it ends where the last one does, or where
    `max_epochs` or `max_steps` cut it."""
    gradient_clip_val: NotNegative
    """Largest norm of the generator's gradient; 0: no limit."""
    accumulate_grad_batches: Count
    """Equal parts that a batch is trained in where it does not fit into memory: the update stays
    the same, and one pass of the generator and a part of the discriminators' work come on top."""
    on_out_of_memory: Literal["stop", "halve"]
    """stop: with the remedy; halve: repeat the step in twice as many parts and go on so."""
    optimizer: Optimizer
    """Of the generator."""
    scheduler: Scheduler
    """Of the generator."""
    discriminator: Adversary
    loss_config: Losses
    eval_loss_config: EvalLosses
    balancer: Balancer
    ema: MovingAverage
    check_val_every_n_epoch: CountOrZero
    """0: not by epochs."""
    val_every_n_steps: CountOrZero | Share
    """0: not by steps; with a point, after every such share of an epoch: 0.25 is four times."""
    log_every_n_steps: Count
    """The first ten steps are logged as well."""
    save_every_n_epochs: CountOrZero
    """0: not by epochs."""
    save_every_n_steps: CountOrZero
    """0: not by steps."""
    save_every_minutes: Positive
    """A checkpoint is never older than this."""
    save_top_k: CountOrZero
    """Best checkpoints to keep."""
    keep_last: Count
    """Latest checkpoints to keep."""
    keep_every_n_steps: CountOrZero
    """A checkpoint at every so many steps that is never removed; 0: none."""
    best_metric: Literal[
        "val/mel",
        "val/total",
        "val/time",
        "val/si_sdr",
        "val/eval/sisdr",
        "val/eval/stft",
        "val/eval/mel",
    ]
    """What chooses the best checkpoint."""
    deterministic: bool
    """On a GPU, use deterministic algorithms, and warn of an operation that has none; without
    influence on a CPU, where the same steps give the same bits anyway."""
    strict_deterministic: bool
    """As `trainer.deterministic`, but stop with an error at an operation that has no such form."""
    detect_anomaly: bool
    """Find the operation that makes a NaN; slow."""
    terminate_on_nan: bool
    """Stop at the first loss or gradient that is not finite, naming the cause; false leaves such
    updates out and goes on, unless weights, moments or codebooks themselves are not finite."""
    log_model_structure: bool
    """Write the layers of the networks to the log."""
    previews: Previews
    array_measures: ArrayMeasures
    """Only where capsules are coded one by one, with two residual codebooks or more."""
    logger: Literal["jsonl", "tensorboard", "wandb", "both"]
    """What mirrors the files of the run directory, which are always written; jsonl: nothing."""
    wandb: Wandb

"""The tree of the lossless mode: an audio language model in the place of a codec.

Keys that every mode has mean here what they mean there, so that loop, session and commands need
not know which tree they read; what a language model has no use for is missing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import (
    CLOSED,
    Count,
    CountOrZero,
    NotNegative,
    Share,
    Text,
)
from codecctl.engine.profile.schema_conduct import Conduct
from codecctl.engine.profile.schema_data import Scene
from codecctl.engine.profile.schema_optimizers import Optimizer
from codecctl.engine.profile.schema_schedules import Scheduler
from codecctl.engine.profile.schema_stages import LosslessStage
from codecctl.engine.profile.schema_trainer import (
    ArrayMeasures,
    MovingAverage,
    Previews,
    Wandb,
)


class LosslessData(BaseModel):
    """Integers of a store or of a folder of WAV files, as streams of symbols in chunks."""

    model_config = CLOSED

    audio_dir: str
    """Folder of WAV files to train on; empty: a store."""
    store: Text
    """Name or path of a store made with --dtype pcm; auto: the only one."""
    bit_depth: Literal[8, 16, 24]
    """Bits of a symbol. Samples of more lose their lowest bits, and the audio is not lossless."""
    quantisation: Literal["linear", "mulaw"]
    """Steps of a symbol: all alike, or (8 bits only) finer where the audio is quiet."""
    channel_mode: Literal["auto", "mono", "one", "blocked"]
    """mono: the mean of all channels, which no decoder gets back; one: the channel `capsule`;
    blocked: all of them in turns; auto: blocked for a store, mono for `audio_dir`."""
    capsule: Count
    """Channel of channel_mode one, counted from 1."""
    stereo_blocking_n: Count
    """Samples of a channel before the next channel's follow, in channel_mode blocked."""
    chunk_size: Annotated[int, Field(ge=2)]
    """Symbols of a training item: what the model sees at once."""
    num_chunks: Count
    """Different chunks that training draws from, each at a random place of a random recording."""
    train_scenes: tuple[Scene, ...]
    """Scenes of a store to train on; without any, recordings are drawn."""
    val_scenes: tuple[Scene, ...]
    """Scenes of the fixed validation chunks."""
    test_scenes: tuple[Scene, ...]
    """Scenes that neither training nor validation touches."""
    split: str
    """NAME or NAME:FOLD of a split of the store that `data split` made; empty: scenes, or a fifth
    of the recordings validates."""
    val_items: Count
    """Fixed validation chunks."""
    val_seed: CountOrZero
    """Of the drawn split and of the validation chunks; independent of `trainer.seed`."""
    batch_size: Count
    """Chunks of an update."""
    val_batch_size: Count
    """Chunks of a validation batch."""
    prefetch_batches: CountOrZero
    """Batches read ahead by the loader thread; 0 reads in the training thread."""
    pin_memory: bool
    """Read batches into page-locked memory for a faster way to a GPU; ignored on a CPU."""
    io_threads: Annotated[int, Field(ge=1, le=256)]
    """Reads from the disk at a time: 1 for a local disk, 8 to 32 for one behind a network."""
    check_reads: bool
    """Compare each second of a channel of a store with its hash before its first use in a job."""

    @property
    def items_per_epoch(self) -> int:
        """An epoch is as many chunks as there are."""
        return self.num_chunks

    @property
    def expand_on_device(self) -> bool:
        """Never: symbols are made where they are read."""
        return False

    @property
    def layout(self) -> str:
        """The channel mode, with `auto` decided."""
        if self.channel_mode != "auto":
            return self.channel_mode
        return "mono" if self.audio_dir else "blocked"


class LosslessModel(BaseModel):
    """Decoder-only transformer over symbols."""

    model_config = CLOSED

    embedding_dim: Annotated[int, Field(ge=1, le=8192)]
    """Width (D)."""
    num_layers: Annotated[int, Field(ge=1, le=256)]
    """Blocks of attention and feed-forward network."""
    num_heads: Annotated[int, Field(ge=1, le=1024)]
    """Heads of each attention, of floor(embedding_dim / num_heads) numbers each."""
    widening_factor: Annotated[int, Field(ge=1, le=64)]
    """Hidden width of the feed-forward networks, in embedding_dim."""
    head: Literal["full", "factorised"]
    """full: one distribution over all 2^bit_depth symbols; factorised: one over the highest byte,
    then one over each lower byte given those above."""


class LosslessTrainer(Conduct):
    """One training of a language model."""

    model_config = CLOSED

    seed: CountOrZero
    """Of initialization and batches."""
    strategy: Literal["auto", "ddp", "fsdp", "deepspeed"]
    """Several processes each take a part of every batch and average gradients: auto and ddp. With
    fsdp, each also holds but its part of weights and moments between updates, with deepspeed (an
    extra of the package) of moments alone."""
    num_gpus: Literal["auto"] | CountOrZero
    """Per node; auto: all that are visible, 0: CPU."""
    num_nodes: Count
    """More than one: start the command once on each of them."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"]
    """Of the network; losses stay in 32 bit. 16-mixed is for GPUs without bfloat16."""
    compile: bool
    """Compile the network with torch.compile."""
    max_epochs: Count
    """End of the schedule, and of a training that comes so far."""
    max_steps: Count
    """Updates of the training."""
    updates_per_epoch: CountOrZero
    """Steps that make an epoch; 0: data.num_chunks / data.batch_size."""
    stages: tuple[LosslessStage, ...]
    """Parts of the training, one after the other, each with its own optimizer and schedule; empty:
    one training. With stages it ends where the last one does, or where `max_epochs` or `max_steps`
    cut it."""
    gradient_clip_val: NotNegative
    """Largest norm of the gradient; 0: no limit."""
    accumulate_grad_batches: Count
    """Equal parts that a batch is trained in where it does not fit into memory."""
    on_out_of_memory: Literal["stop", "halve"]
    """stop: with the remedy; halve: repeat the step in twice as many parts and go on so."""
    optimizer: Optimizer
    scheduler: Scheduler
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
    save_every_minutes: Annotated[float, Field(gt=0)]
    """A checkpoint is never older than this."""
    save_top_k: CountOrZero
    """Best checkpoints to keep."""
    keep_last: Count
    """Latest checkpoints to keep."""
    keep_every_n_steps: CountOrZero
    """A checkpoint at every so many steps that is never removed; 0: none."""
    best_metric: Literal["val/bits_per_sample"]
    """What chooses the best checkpoint."""
    deterministic: bool
    """On a GPU, use deterministic algorithms, and warn of an operation that has none; without
    influence on a CPU, where the same steps give the same bits anyway."""
    strict_deterministic: bool
    """As `trainer.deterministic`, but stop with an error at an operation that has no such form."""
    detect_anomaly: bool
    """Find the operation that makes a NaN; slow."""
    terminate_on_nan: bool
    """Stop at the first loss that is not finite, naming it."""
    log_model_structure: bool
    """Write the layers of the network to the log."""
    logger: Literal["jsonl", "tensorboard", "wandb", "both"]
    """What mirrors the files of the run directory, which are always written; jsonl: nothing."""
    wandb: Wandb
    output_dir: Text
    """Folder that the weights are exported to at the end of the training."""
    model_name: Annotated[str, Field(min_length=1, pattern=r"^[^/\x00]+$")]
    """The exported files are <model_name>.npz and <model_name>_training.log."""

    @property
    def previews(self) -> Previews:
        """None: what a lossless coder gives back is what it was given."""
        return Previews(every=0, items=0, at_steps=())

    @property
    def array_measures(self) -> ArrayMeasures:
        """None: there are no codes."""
        return ArrayMeasures(every=0, items=0)

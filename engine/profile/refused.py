"""Keys and values that people know from elsewhere and that have no place here; the reasons."""

from __future__ import annotations

from collections.abc import Mapping

_MACHINE = "chosen by the machine: the fused form on a GPU, torch's own choice on a CPU"
_PLACE = (
    "a matter of the machine; processes are started by train, torchrun or srun (docs/cluster.md)"
)

ARGUMENTS: Mapping[str, str] = {
    "capturable": _MACHINE,
    "differentiable": "nothing differentiates through an update",
    "foreach": _MACHINE,
    "fused": _MACHINE,
    "maximize": "losses are made small",
}
"""Arguments of torch's optimizers."""

OPTIMIZERS: Mapping[str, str] = {
    "LBFGS": "it evaluates the loss many times for each update, and codebooks, balancer and "
    "discriminators move once",
    "Muon": "it moves matrices only, and the networks have convolutions and biases",
    "SparseAdam": "it is for sparse gradients, and no network here has any",
}
"""Optimizers of torch."""

TRAINER: Mapping[str, str] = {
    "accelerator": "set trainer.num_gpus=0 for the CPU",
    "barebones": "set trainer.logger=jsonl and trainer.previews.items=0",
    "callbacks": "there is no code in a profile",
    "default_root_dir": "runs are below the working directory or CODECCTL_HOME",
    "enable_autolog_hparams": "the resolved profile always goes to the trackers",
    "enable_model_summary": "sizes are always told; the layers with trainer.log_model_structure",
    "enable_checkpointing": "checkpoints are always written; trainer.keep_last says how many stay",
    "enable_progress_bar": "progress is one line, and none where nobody looks at a terminal",
    "inference_mode": "validation always runs without gradients",
    "limit_test_batches": "training tests nothing",
    "limit_predict_batches": "training predicts nothing",
    "min_epochs": "nothing ends a training before trainer.max_epochs or trainer.max_steps",
    "min_steps": "nothing ends a training before trainer.max_epochs or trainer.max_steps",
    "model_registry": "codecctl export writes weights for elsewhere",
    "plugins": _PLACE,
    "process_position": "there is one line of progress",
    "profiler": "set trainer.profile=true",
    "reload_dataloaders_every_n_epochs": "batches are a function of the step",
    "sync_batchnorm": "no network here has batch normalization",
    "use_distributed_sampler": "a batch is the same for any number of processes",
}
"""Keys of Lightning's Trainer below `trainer.`."""

ELSEWHERE: Mapping[str, str] = {
    "data.cac": "spectrograms always enter as real and imaginary part of each channel",
    "data.center": "spectrograms are always centered",
    "data.eval_dataloader.drop_last": "validation always measures every item",
    "data.max_pad_ratio": "nothing is padded; data.min_source_seconds leaves short recordings out",
    "data.model_channels": "set model.generator.channels, and data.capsules.count to the same",
    "data.retries": "a silent window is drawn again by itself",
    "data.stereo": "set model.generator.channels=2 and data.capsules.count=2",
    "data.target_frames": "set data.segment_seconds",
    "data.train_dataloader.drop_last": "every batch is full",
    "demo": "set trainer.previews",
    "trainer.encoder_freeze_on_warmup": "set trainer.stages, whose stages freeze",
    "trainer.warmup_mode": "set trainer.stages, whose stages have weights of their own",
    "trainer.warmup_steps": "set trainer.stages, or trainer.scheduler for the rate alone",
}
"""Keys of the trainer guide's code, and everything below them."""


def reason(parts: tuple[str, ...]) -> str:
    """Why there is no such key, "" where nobody would expect one."""
    for length in range(1, len(parts) + 1):
        if why := ELSEWHERE.get(".".join(parts[:length])):
            return why
    if len(parts) == 2 and parts[0] == "trainer":
        return TRAINER.get(parts[1], "")
    if len(parts) >= 2 and parts[-2] == "config" and "optimizer" in parts:
        return ARGUMENTS.get(parts[-1], "")
    return ""

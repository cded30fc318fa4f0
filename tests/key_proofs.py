"""Keys whose effect `test_key_effects` does not see in its small training, and where it is seen.

The tests that are named are of the part that has the key; this list does not run them.
"""

from __future__ import annotations

from collections.abc import Mapping

_WHERE: Mapping[str, tuple[str, ...]] = {
    "needs other recordings or stores: test_build, test_sampler, test_split, test_choose": (
        "data.capsules.policy",
        "data.items_per_epoch",
        "data.min_source_seconds",
        "data.segment_seconds",
        "data.silence_db",
        "data.split",
        "data.store",
        "data.test_scenes",
    ),
    ("how audio is read, which stays the same: test_prefetch, test_feed, test_store_checked"): (
        "data.check_reads",
        "data.expand_on_device",
        "data.io_threads",
        "data.pin_memory",
        "data.prefetch_batches",
    ),
    (
        "a name, or the only value that goes with this mode: test_profile_findings, "
        "test_profile_checks"
    ): (
        "data.crop",
        "defaults.data",
        "defaults.model",
        "defaults.trainer",
        "description",
        "family",
        "mode",
        "model.generator[seanet].channels",
        "model.pre_transform",
    ),
    (
        "another discriminator, or lists that change together: test_discriminator, "
        "test_soundstream_discriminators, test_views"
    ): (
        "model.discriminators[ms_stft].channels",
        "model.discriminators[ms_stft].type",
        "model.discriminators[ms_stft].win_lengths",
        "model.discriminators[stft].channels",
        "model.discriminators[stft].hop_length",
        "model.discriminators[stft].n_fft",
        "model.discriminators[stft].num_filters",
        "model.discriminators[stft].type",
        "model.discriminators[wave].channels",
        "model.discriminators[wave].factors",
        "model.discriminators[wave].leak",
        "model.discriminators[wave].max_filters",
        "model.discriminators[wave].num_filters",
        "model.discriminators[wave].type",
    ),
    "goes with normalize = gain: test_levels": ("model.gain_db",),
    ("another generator, or more blocks than the small one has: test_soundstream, test_seanet"): (
        "model.generator[seanet].dilation_base",
        "model.generator[seanet].trim_right_ratio",
        "model.generator[seanet].type",
        "model.generator[soundstream].channels",
        "model.generator[soundstream].dilations",
        "model.generator[soundstream].kernel_size",
        "model.generator[soundstream].last_kernel_size",
        "model.generator[soundstream].latent_dim",
        "model.generator[soundstream].num_filters",
        "model.generator[soundstream].strides",
        "model.generator[soundstream].type",
    ),
    (
        "another quantizer, or more vectors than three updates have: test_quantizers, "
        "test_rvq_update, test_clustering"
    ): (
        "model.quantizer[fsq].levels",
        "model.quantizer[fsq].type",
        "model.quantizer[none].type",
        "model.quantizer[rvq].bandwidths",
        "model.quantizer[rvq].dead_threshold",
        "model.quantizer[rvq].groups",
        "model.quantizer[rvq].kmeans_iterations",
        "model.quantizer[rvq].type",
        "model.quantizer[vq].bandwidths",
        "model.quantizer[vq].codebook_size",
        "model.quantizer[vq].dropout",
        "model.quantizer[vq].groups",
        "model.quantizer[vq].kmeans_init",
        "model.quantizer[vq].kmeans_iterations",
        "model.quantizer[vq].num_codebooks",
        "model.quantizer[vq].type",
    ),
    (
        "rows, previews and trackers of a run: test_cadence, test_loop, test_previews, "
        "test_tracking, test_array_survey, test_adversary, test_average"
    ): (
        "trainer.array_measures.every",
        "trainer.array_measures.items",
        "trainer.discriminator.adversarial_before_start",
        "trainer.discriminator.start.epoch",
        "trainer.ema.decay",
        "trainer.log_every_n_steps",
        "trainer.log_model_structure",
        "trainer.previews.at_steps",
        "trainer.previews.items",
        "trainer.wandb.project",
        "trainer.wandb.run_name",
    ),
    "refused by prepare": (
        "trainer.ckpt_dir",
        "trainer.profile",
    ),
    (
        "the machine, or what is done about trouble: test_runtime, test_topology, "
        "test_compiler, test_deterministic, test_within_memory, test_guard"
    ): (
        "trainer.compile",
        "trainer.detect_anomaly",
        "trainer.deterministic",
        "trainer.num_gpus",
        "trainer.num_nodes",
        "trainer.on_out_of_memory",
        "trainer.strategy",
        "trainer.terminate_on_nan",
    ),
    (
        "spectral terms and measures that this training does not weigh: test_loss_groups "
        "and the tests of each term"
    ): (
        "trainer.eval_loss_config.mel.fft_size",
        "trainer.eval_loss_config.mel.hop_size",
        "trainer.eval_loss_config.mel.n_mels",
        "trainer.eval_loss_config.mel.win_length",
        "trainer.eval_loss_config.sisdr.reduction",
        "trainer.eval_loss_config.sisdr.zero_mean",
        "trainer.eval_loss_config.stft.fft_size",
        "trainer.eval_loss_config.stft.hop_size",
        "trainer.eval_loss_config.stft.sample_rate",
        "trainer.eval_loss_config.stft.win_length",
        "trainer.eval_loss_config.terms",
        "trainer.loss_config.bottleneck.weights.codebook",
        "trainer.loss_config.bottleneck.weights.kl",
        "trainer.loss_config.reconstruction.si_sdr.config.zero_mean",
        "trainer.loss_config.spectral.apply_pre_transform_to_wave_losses",
        "trainer.loss_config.spectral.linear_mel.config.num_mels",
        "trainer.loss_config.spectral.linear_mel.config.scales",
        "trainer.loss_config.spectral.mrstft.config.complex",
        "trainer.loss_config.spectral.mrstft.config.convergence",
        "trainer.loss_config.spectral.mrstft.config.hop_lengths",
        "trainer.loss_config.spectral.mrstft.config.log_magnitude",
        "trainer.loss_config.spectral.mrstft.config.magnitude",
        "trainer.loss_config.spectral.mrstft.config.n_ffts",
        "trainer.loss_config.spectral.mrstft.config.win_lengths",
        "trainer.loss_config.spectral.phase.config.hop_length",
        "trainer.loss_config.spectral.phase.config.n_fft",
        "trainer.loss_config.spectral.phase.config.win_length",
        "trainer.loss_config.spectral.stft_mse.config.domain",
        "trainer.loss_config.spectral.stft_mse.config.p",
        "trainer.loss_config.spectral.stft_mse.config.reduction",
        "trainer.loss_config.spectral.weights.linear_mel",
        "trainer.loss_config.spectral.weights.mrstft",
        "trainer.loss_config.spectral.weights.phase",
        "trainer.loss_config.spectral.weights.stft_mse",
    ),
    (
        "goes with another weighting, kind or weight: test_losses_pairwise, test_shares, "
        "test_capsule_classifier"
    ): (
        "trainer.loss_config.pairwise.classifier.config.hidden",
        "trainer.loss_config.pairwise.classifier.config.num_capsules",
        "trainer.loss_config.pairwise.classifier.config.stage",
        "trainer.loss_config.pairwise.diversity.config.kind",
        "trainer.loss_config.pairwise.diversity.config.margin",
        "trainer.loss_config.pairwise.diversity.config.share",
        "trainer.loss_config.pairwise.share_decay",
        "trainer.loss_config.pairwise.similarity.config.share",
    ),
    "how a training runs, not what it does: test_conduct": (
        "trainer.benchmark",
        "trainer.gradient_clip_algorithm",
        "trainer.max_time",
        "trainer.num_sanity_val_steps",
        "trainer.overfit_batches",
        "trainer.profiler_dir",
    ),
}

NOT_SEEN: Mapping[str, str] = {label: where for where, labels in _WHERE.items() for label in labels}
"""Label of a key to the place."""

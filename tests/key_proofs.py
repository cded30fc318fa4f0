"""Keys whose effect is not in what a job is built of: the test that sees it, or why it is none."""

from __future__ import annotations

from collections.abc import Mapping

ELSEWHERE: Mapping[str, str] = {
    "data.pin_memory": (
        "e2e/test_train_loading.py::test_integers_threads_checks_and_depth_train_the_same_weights"
    ),
    "description": "test_profile_command.py::test_list_as_json_has_mode_description_and_file",
    "family": "test_profile_library.py::test_tiny_is_the_tiny_option_of_the_family",
    "model.quantizer[rvq].bandwidths": (
        "test_export.py::test_transformers_loads_the_folder_and_codes_and_decodes_alike"
    ),
    "model.quantizer[vq].bandwidths": (
        "test_export.py::test_the_encodec_package_loads_the_file_and_codes_and_decodes_alike"
    ),
    "trainer.ckpt_dir": (
        "e2e/test_train_conduct.py::test_it_is_recorded_and_saves_elsewhere_and_what_follows_finds_it"
    ),
    "trainer.compile": "test_compiler.py::test_a_compiled_training_is_the_plain_one_and_resumes",
    "trainer.log_model_structure": (
        "e2e/test_train_conduct.py::test_it_is_recorded_and_saves_elsewhere_and_what_follows_finds_it"
    ),
    "trainer.loss_config.bottleneck.weights.kl": (
        "test_spectral_recipe.py::test_a_row_has_the_terms_of_its_profile"
    ),
    "trainer.model_name": (
        "test_build_lossless.py::test_every_option_of_the_document_changes_what_it_says_and_nothing_else"
    ),
    "trainer.num_gpus": "test_topology.py::test_auto_takes_as_many_gpus_as_divide_the_batch",
    "trainer.output_dir": (
        "test_build_lossless.py::test_every_option_of_the_document_changes_what_it_says_and_nothing_else"
    ),
    "trainer.profile": (
        "e2e/test_train_conduct.py::test_it_is_recorded_and_saves_elsewhere_and_what_follows_finds_it"
    ),
    "trainer.profiler_dir": (
        "e2e/test_train_conduct.py::test_it_is_recorded_and_saves_elsewhere_and_what_follows_finds_it"
    ),
}
"""Label to a test that names the key."""

ELSEWHERE_IN = {
    "trainer.model_name": "lossless",
    "trainer.output_dir": "lossless",
    "trainer.loss_config.bottleneck.weights.kl": "spectral",
}
"""Mode that such a test trains, where it is not `paired`."""
BEFORE = ("description", "family")
"""Keys that are used up before there is a profile to build from."""
EXPORTED = ("model.quantizer[rvq].bandwidths", "model.quantizer[vq].bandwidths")
"""Keys that only an export looks at."""
WITHOUT_CODES: Mapping[tuple[str, str], str] = {
    ("paired", variant): r"pairwise\.similarity\.config\.stage: found 0, allowed: below"
    for variant in ('{type="none"}', '{type="fsq",levels=[5,4]}')
}
"""Mode and quantizer that it refuses, and why."""

_PAIRS = "trainer.loss_config.pairwise.weights."
IDLE: Mapping[str, str] = {
    "trainer.loss_config.spectral.stft_mse.config.": (
        "trainer.loss_config.spectral.weights.stft_mse=0.5"
    ),
    "trainer.loss_config.pairwise.similarity.": f"{_PAIRS}similarity=0.5",
    "trainer.loss_config.pairwise.diversity.": f"{_PAIRS}diversity=0.5",
    "trainer.loss_config.pairwise.classifier.": f"{_PAIRS}classifier=0.5",
    "trainer.loss_config.pairwise.share_decay": f"{_PAIRS}similarity=0.5",
    "trainer.strategy": "trainer.strategy=dp",
}
"""Beginning of labels to an override; where a mode refuses it, they have nothing to configure.

The terms of pairs are refused where there are none, the error of a spectrogram where decoders emit
audio; strategies are about several processes, and end with the weights of one
(tests/e2e/test_world_size.py)."""

WAITING = {("spectral", "trainer.array_measures.every")}
"""Mode and label of keys that say themselves where they act; here they do not."""

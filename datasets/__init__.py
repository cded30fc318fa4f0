"""Audio on disk: discovery, ingest, store, sampling, synthesis; knows no model."""

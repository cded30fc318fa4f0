"""Recipes: how one mode takes a training step, validates and reconstructs."""

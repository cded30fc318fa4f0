"""Rendering of EigenScape-shaped corpora."""

"""Residual vector quantization and its relatives."""

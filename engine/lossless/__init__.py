"""Bit-exact coding: what one machine writes, every other machine of the kind reads."""

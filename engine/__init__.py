"""The PyTorch engine; importing this package loads no torch."""

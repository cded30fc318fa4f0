"""Terms that a codec is trained with."""

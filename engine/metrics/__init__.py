"""Measures of a reconstruction; none of them is trained with."""

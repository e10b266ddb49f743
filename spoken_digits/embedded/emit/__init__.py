"""Python values to C source text."""

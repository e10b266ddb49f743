"""Words spoken by a neural synthesiser, in many voices and with the accents of other languages."""

"""Feature tensors: the extractors, a module a kind, and how a corpus goes through them."""

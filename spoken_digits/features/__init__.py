"""Feature tensors: the extractors, a module a kind, and the store on disk."""

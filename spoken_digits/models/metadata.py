"""The key of a model file's metadata under which its card stands, as JSON."""

METADATA_KEY = "spoken_digits"

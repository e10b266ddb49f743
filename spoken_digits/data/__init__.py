"""The corpus on disk: manifest, clips, splits, features, batches."""

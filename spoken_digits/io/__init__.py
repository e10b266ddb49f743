"""What lies on disk: files, parameters, recordings and their manifest, feature tensors."""

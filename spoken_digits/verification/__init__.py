"""Check that the files match the recorded run, and that the run is reproducible."""

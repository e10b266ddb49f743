"""How well a detector does on long streams: made-up streams, scores, its threshold, a picture."""

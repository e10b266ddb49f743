"""What a recording, or a folder of them, is like before anything is trained on it."""

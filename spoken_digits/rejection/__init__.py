"""What is none of the words: its classes, clips to learn it from, models that have the classes."""

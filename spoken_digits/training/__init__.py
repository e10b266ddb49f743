"""Training: the recipe, the data as the network sees it, the loop that can be resumed."""

"""Training: plan, recipe, resumable loop, several processes."""

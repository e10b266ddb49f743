"""Whether what lies here is what was recorded, and whether it can be made again."""

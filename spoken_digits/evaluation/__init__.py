"""How good a model is: metrics, the worst mistakes, tables of results."""

"""The README's results and docs/results.md, made from committed metrics and benchmarks."""

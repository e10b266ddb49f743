"""The report: one self-contained HTML page, made from recorded figures only."""

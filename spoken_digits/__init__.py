"""Recordings of spoken words to classifiers that fit into a few kilobytes.

Pure functions and modules: nothing here knows a path of the pipeline; the scripts in
``stages/`` do. See ``docs/glossary.md`` for the terms.
"""

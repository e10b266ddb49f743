"""The command `spoken-digits`: one module a sub-command, joined in `main`."""

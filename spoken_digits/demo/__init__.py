"""Listening in a browser: an integer detector as WebAssembly, and one page that runs it offline."""

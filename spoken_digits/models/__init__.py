"""Networks, their parameters, and the files that hold them."""

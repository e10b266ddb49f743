"""Networks with fewer bits, one module for each way of making them."""

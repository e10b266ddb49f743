"""The fixed-point front-end."""

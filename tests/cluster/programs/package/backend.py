"""A module of the package's own."""

BACKEND = "gloo"

"""Connections to the applications: pools, choice, one exchange."""

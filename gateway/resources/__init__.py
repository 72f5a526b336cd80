"""Leaves of the resource tree: each answers requests, with its settings beside it."""

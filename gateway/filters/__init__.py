"""Steps that a request passes on its way to a leaf: each with its settings."""

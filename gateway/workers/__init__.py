"""Several processes that serve one folder of site files: a leader decides, workers serve."""

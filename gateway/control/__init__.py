"""Operating a gateway: the command line."""

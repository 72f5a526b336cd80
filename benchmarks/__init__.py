"""Measures gateway beside nginx, HAProxy and Caddy at equal tasks: `python -m benchmarks --help`."""

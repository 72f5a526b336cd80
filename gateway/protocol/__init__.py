"""Wire formats, sans-IO: bytes in, events out."""

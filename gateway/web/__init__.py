"""The resource tree and the life of one request."""

"""TLS: certificates in memory, chosen by the name that a client asks for."""

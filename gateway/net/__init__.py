"""Endpoints: how connections are made."""

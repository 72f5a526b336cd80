"""Site files: from TOML text to frozen settings."""

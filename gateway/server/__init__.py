"""Front ends: downstream connections as streams."""

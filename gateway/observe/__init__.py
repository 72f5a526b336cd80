"""What happened: access log and counts."""

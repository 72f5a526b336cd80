"""The soak: every sort of client at once, for minutes, each answer checked, and nothing left over at the end."""

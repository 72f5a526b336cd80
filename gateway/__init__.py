"""The front door for one machine with many sites."""

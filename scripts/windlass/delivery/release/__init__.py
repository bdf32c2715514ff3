"""A release: its archive, where it came from, who signed that, and how it is found again."""

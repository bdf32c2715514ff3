"""What a promotion would change, how grave that is, and how it is told."""

"""Releases and how they rise: build, plan, perform, verify. What decides reads nothing; what acts decides nothing."""

"""Carries a release and its models into an environment, takes it back, and holds it."""

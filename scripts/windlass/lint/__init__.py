"""Lint: finds what is wrong with a project's files before anything runs; it executes nothing."""

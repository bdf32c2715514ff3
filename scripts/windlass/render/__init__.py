"""Rendering: a pipeline becomes explicit Python that a person would have written."""

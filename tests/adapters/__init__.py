"""Tests of the adapters, against servers that speak the real protocols."""

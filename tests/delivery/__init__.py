"""Tests of delivery: pure planning and the one executor."""

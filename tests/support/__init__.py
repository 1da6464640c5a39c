"""Shared by the tests: doubles, running servers and data."""

"""Greenlets, backoff and locks: how plain functions wait in the event loop."""

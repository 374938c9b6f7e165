"""Logs, metrics and the counters that processes share."""

"""Threads, greenlets and what may hold them up."""

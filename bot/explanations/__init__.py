"""Explains events and their causes in plain words, for the console and the commands."""

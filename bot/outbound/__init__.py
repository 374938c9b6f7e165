"""Calls to other hosts: bounded in time, and in where they may go."""

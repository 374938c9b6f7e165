"""Shared by the faces: keys, access, waiting, headers, error handlers."""

"""Faces: each package is one way into Textback, with its routes, shapes and errors."""

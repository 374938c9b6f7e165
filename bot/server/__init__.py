"""How gunicorn runs Textback."""

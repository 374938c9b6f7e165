"""An application that signs people up and has Textback verify their phone numbers."""

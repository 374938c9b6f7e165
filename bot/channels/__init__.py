"""Channels that carry texts; `gateway` is what the rest of Textback sees of them."""

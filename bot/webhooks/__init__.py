"""Outcome webhooks by Standard Webhooks 1.0: the body, the signature, the call."""

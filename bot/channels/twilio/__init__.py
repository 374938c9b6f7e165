"""The phone network, both ways. Twilio's words stay here."""

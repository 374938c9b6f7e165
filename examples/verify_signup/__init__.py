"""An application that was written for Twilio Verify, and works against Textback."""

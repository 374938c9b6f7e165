"""The Twilio channel, the only package that calls Twilio or is called by it: sends texts and
receives webhooks."""

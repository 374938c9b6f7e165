"""The Twilio channel: sends texts and receives webhooks. No other package contains Twilio's
terms."""

"""The Durable Functions face. Azure's words stay here."""

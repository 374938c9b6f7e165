"""Whether a start may go ahead: limits, circuit breaker, delay."""

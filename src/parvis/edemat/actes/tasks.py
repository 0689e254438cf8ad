"""Background jobs of the télétransmission: thin and idempotent, they call the services."""

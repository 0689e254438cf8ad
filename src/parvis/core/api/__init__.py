"""The API base: machine accounts, scopes, rate limits, problem details."""

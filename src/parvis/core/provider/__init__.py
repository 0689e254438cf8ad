"""The OpenID Connect provider that commune sites and third-party services trust."""

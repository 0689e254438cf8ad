"""The SAML 2.0 identity provider for older software."""

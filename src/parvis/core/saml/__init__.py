"""The SAML 2.0 identity provider for older software."""

import warnings

# pysaml2 names a cipher mode that is moving inside cryptography; nothing here uses it.
warnings.filterwarnings("ignore", message="CFB has been moved", module=r"saml2\.")

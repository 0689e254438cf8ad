"""Content Security Policy (level 3) as django-csp 4 reads it: nothing inline, nothing from elsewhere."""

from csp.constants import NONE, SELF

POLICY: dict[str, dict[str, list[str]]] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        # Bootstrap draws the arrows and ticks of form controls with data: images.
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        # A PDF may be shown in a frame of our own pages (and of no one else’s).
        "frame-src": [SELF],
        "frame-ancestors": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
    }
}

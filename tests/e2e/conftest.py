"""Fixtures of the browser tests."""

from tests.e2e.browser import browser_page, chromium  # noqa: F401

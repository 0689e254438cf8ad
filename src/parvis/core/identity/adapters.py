"""How django-allauth behaves here: no self-registration yet, French second-factor labels."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from parvis.core.authentication import stepup


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are created by an organisation's administration."""
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A login of less than five minutes is a fresh proof: the first enrolment does not ask for it twice."""
        return not stepup.is_fresh(self.request)


class MfaAdapter(DefaultMFAAdapter):
    def get_totp_label(self, user) -> str:
        return user.email

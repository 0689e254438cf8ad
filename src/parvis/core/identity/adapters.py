"""How django-allauth behaves here: who may try, what is said, what is encrypted, what is written in the log."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from parvis.core.authentication import departures, notices, secrets, stepup, throttle
from parvis.core.authentication.assurance import federated_proofs
from parvis.core.authentication.backend import AccountBackend
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account

WRONG = "Identifiants incorrects ou compte indisponible."


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": WRONG,
        "account_inactive": WRONG,
        "enter_current_password": "Ce mot de passe n’est pas le bon.",
        "incorrect_password": "Ce mot de passe n’est pas le bon.",
        "rate_limited": "Trop de demandes. Patientez quelques minutes.",
        "too_many_login_attempts": "Trop d’essais infructueux. Patientez quelques minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are created by an organisation's administration, or by their holder (core/identity)."""
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A login of less than five minutes is a fresh proof: the first enrolment does not ask for it twice.

        The library lets in whoever has neither password nor factor; where their provider can confirm them, it does.
        """
        if stepup.is_fresh(self.request):
            return False
        if federated_proofs(self.request.user):
            raise ReauthenticationRequired
        return True

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """One page asks for every proof, that of a provider included."""
        page = {"id": "reauthenticate", "description": "", "url": reverse("account_reauthenticate")}
        return super().get_reauthentication_methods(user) or ([page] if user.is_authenticated else [])

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Account | None:
        """The account that these credentials open; the same work and the same words for all that open none."""
        identity = str(credentials.get("email", ""))
        try:
            attempt = throttle.begin(request, "login", identity)
        except throttle.TooManyTries as wait:
            raise ValidationError(wait.sentence, code="throttled") from None
        AuthenticationBackend.unstash_authenticated_user()
        user: Any = authenticate(request, **credentials)
        closed: Any = AuthenticationBackend.unstash_authenticated_user()  # right password, account not available
        if user is not None:
            attempt.succeeded()
            return user  # type: ignore[no-any-return]
        account = Account.objects.filter(email=identity.strip().lower()).first()
        audit("user.login.failure", account=account, request=request, outcome="failure", method="password")
        notices.tell(closed, "closed")
        return None

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Passkeys and federation reach this without a password: they learn no more about a closed account."""
        if AccountBackend().user_can_authenticate(user):
            return None
        clear_login(request)
        audit("user.login.failure", account=user, request=request, outcome="failure")
        messages.error(request, WRONG)
        return redirect("account_login")

    def logout(self, request: HttpRequest) -> None:
        """Sites and providers used in this session are left too, each step being shown."""
        steps = departures.collect(request)
        super().logout(request)
        if steps:
            departures.keep(request, steps)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return departures.page(request) or super().get_logout_redirect_url(request)

    def is_safe_url(self, url: str) -> bool:
        """Only addresses of this very site are gone back to, not those of every host that it answers on."""
        return bool(url) and stepup.local_address(self.request, url, "") == url

    def get_client_ip(self, request: HttpRequest) -> str:
        """The caller's address, which ``web.proxy`` takes from the proxy that stands in front."""
        return request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104  no address, not a binding


class MfaAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "Ce code n’est pas le bon, ou il a déjà servi.",
        "cannot_generate_recovery_codes": "Les codes de secours demandent d’abord une application ou une clé d’accès.",
    }

    def get_totp_label(self, user: Any) -> str:
        return str(user.email)

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Clé d’accès {number + 1}" if number else "Clé d’accès"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys are bound to the platform's host, the only one where people log in."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "localhost", "name": "Parvis"}

    def encrypt(self, text: str) -> str:
        return secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text)

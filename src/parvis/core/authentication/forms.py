"""Forms of login, of a new password, and of the proofs that a person gives: password, code, passkey."""

from typing import Any

from allauth.account import forms as account_forms
from allauth.account.adapter import get_adapter as account_adapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter as mfa_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from parvis.core.authentication import factors, notices, throttle
from parvis.core.authentication.passwords import MAX_LENGTH
from parvis.core.authentication.sessions import WANTS_REMEMBER
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.identity.views.frame import too_many


def counted(request: HttpRequest, kind: str, identity: str) -> throttle.Try:
    """Count a try of a form; raises ValidationError while the person must wait."""
    try:
        return throttle.begin(request, kind, identity)
    except throttle.TooManyTries as wait:
        raise ValidationError(wait.sentence, code="throttled") from None


class LoginForm(account_forms.LoginForm):
    """E-mail address and password; « Rester connecté » is heard of usagers only (``sessions.open_session``)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Adresse électronique"
        self.fields["password"].max_length = MAX_LENGTH

    def clean_password(self) -> str:
        """Longer than any password is not worth a hash."""
        password: str = self.cleaned_data["password"]
        if len(password) > MAX_LENGTH:
            raise account_adapter().validation_error("email_password_mismatch")
        return password

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> Any:
        request.session[WANTS_REMEMBER] = bool(self.cleaned_data.get("remember"))
        self._login.redirect_url = redirect_url
        return perform_password_login(request, self.user_credentials(), self._login)


class ResetPasswordForm(account_forms.ResetPasswordForm):
    """Asks for a link; does the same work whether an account answers to the address or not, and whether the links of
    this hour are spent or not.
    """

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        account = next((found for found in self.users if found.suspended_at is None), None)
        audit("user.password.reset.request", account=account, request=request)
        left = ratelimit.consume(request, action="reset_password_link", key=email.lower())
        notices.tell(account if left else None, "reset")
        return email


class _NewPasswordMixin:
    """The criteria are shown under the field, live, instead of a help text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = ""  # type: ignore[attr-defined]


class SetPasswordForm(_NewPasswordMixin, account_forms.SetPasswordForm):
    pass


class ResetPasswordKeyForm(_NewPasswordMixin, account_forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(_NewPasswordMixin, account_forms.ChangePasswordForm):
    def clean_oldpassword(self) -> str:
        attempt = counted(account_adapter().request, "login", self.user.email)
        old: str = super().clean_oldpassword()
        attempt.succeeded()
        return old


class _CodeMixin:
    """A code is tried at the pace of passwords, and never serves twice."""

    user: Account

    def clean_code(self) -> str:
        request = mfa_adapter().request
        attempt = counted(request, "code", self.user.email)
        code: str = super().clean_code()  # type: ignore[misc]
        used = getattr(self, "authenticator", None)
        timed = used is None or used.type == Authenticator.Type.TOTP
        if timed and not factors.use_up(self.user, code):
            audit("user.mfa.failure", account=self.user, request=request, outcome="failure", data={"reason": "reuse"})
            raise mfa_adapter().validation_error("incorrect_code")
        attempt.succeeded()
        return code


class AuthenticateForm(_CodeMixin, mfa_forms.AuthenticateForm):
    pass


class ReauthenticateForm(_CodeMixin, mfa_forms.ReauthenticateForm):
    pass


class ActivateTOTPForm(_CodeMixin, totp_forms.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code affiché par l’application"


class ResetLinkForm(account_forms.UserTokenForm):
    """The link of a reset: one that is wrong, old or used is logged, so that its holder sees who tries."""

    MOST_PER_HOUR = 20

    def clean(self) -> Any:
        try:
            return super().clean()
        except ValidationError:
            request = account_adapter().request
            if self.reset_user is not None and not too_many(request, "reset.failure", self.MOST_PER_HOUR):
                audit("user.password.reset.failure", account=self.reset_user, request=request, outcome="failure")
            raise


class _PasskeyMixin:
    """A passkey whose counter does not advance may be a copy: it is refused, logged, and its holder told."""

    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]  # type: ignore[attr-defined]
        authenticator: Authenticator = super().clean_credential()  # type: ignore[misc]
        if not factors.counter_advances(authenticator, credential):
            account = authenticator.user
            audit(
                "user.mfa.failure",
                account=account,
                request=mfa_adapter().request,
                outcome="failure",
                method="passkey",
                data={"reason": "counter"},
            )
            notices.tell(account, "factor.clone")
            raise mfa_adapter().validation_error("incorrect_code")
        return authenticator


class AuthenticateWebAuthnForm(_PasskeyMixin, webauthn_forms.AuthenticateWebAuthnForm):
    pass


class ReauthenticateWebAuthnForm(_PasskeyMixin, webauthn_forms.ReauthenticateWebAuthnForm):
    pass


class LoginWebAuthnForm(_PasskeyMixin, webauthn_forms.LoginWebAuthnForm):
    pass


class AddWebAuthnForm(webauthn_forms.AddWebAuthnForm):
    """A key that names its holder and verifies them: it opens the account without a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Nom de cette clé"
        self.fields["name"].max_length = 60

    def clean_name(self) -> str:
        return str(super().clean_name())[:60]

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["passwordless"] = True
        return super().clean()


class StepUpForm(forms.Form):
    """Password, and the code of a second factor when the account has one; ``authenticator`` is the one that served.

    With ``passkey_only`` there is no field: nothing that is typed is enough.
    """

    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        max_length=MAX_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label="Code de votre application, ou code de secours",
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, account: Any, passkey_only: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.authenticator: Authenticator | None = None
        held = factors.held_by(account)
        if passkey_only or not account.has_usable_password():
            del self.fields["password"]
        if passkey_only or not (held.passkeys or held.application):
            del self.fields["code"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        attempt = counted(account_adapter().request, "login", self.account.email)
        if not self.account.check_password(password):
            raise ValidationError("Ce mot de passe n’est pas le bon.")
        attempt.succeeded()
        return password

    def clean_code(self) -> str:
        if "password" in self.errors:  # a wrong password says nothing of the code, and does not use it up
            return ""
        code: str = self.cleaned_data["code"]
        inner = ReauthenticateForm({"code": code}, user=self.account)
        if not inner.is_valid():
            raise ValidationError(inner.errors["code"])
        self.authenticator = inner.authenticator
        return code


class FactorResetForm(forms.Form):
    """Why somebody's second factor is to be reset, and whether their identity was checked face to face."""

    reason = forms.CharField(label="Motif", max_length=200, help_text="Par exemple : téléphone perdu le 3 mars.")
    in_person = forms.BooleanField(
        label="J’ai vérifié son identité de visu, avec une pièce d’identité",
        required=False,
        help_text="Sans cette vérification, la remise à zéro attend vingt-quatre heures.",
    )


class AdministratorResetForm(forms.Form):
    """Who administers alone and lost every factor, and why they are to be reset; the organisation shows nothing."""

    address = forms.CharField(
        label="Adresse électronique de la personne",
        max_length=254,
        help_text="L’adresse de son compte, en entier : la plateforme ne montre pas qui administre une organisation.",
        widget=forms.EmailInput,
    )
    reason = forms.CharField(
        label="Motif",
        max_length=200,
        help_text="Ce qui a été perdu, et comment vous avez reconnu la personne. L’organisation le lira.",
    )


class OperatorResetForm(forms.Form):
    """Why the factors of an operator are to be reset."""

    reason = forms.CharField(
        label="Motif",
        max_length=200,
        help_text="Ce qui a été perdu, et comment vous avez reconnu la personne : clé volée, rencontrée ce matin.",
    )

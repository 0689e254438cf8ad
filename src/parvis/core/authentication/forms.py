"""Forms of the proofs that a person gives: password, code, passkey."""

from typing import Any

from allauth.mfa.base.forms import ReauthenticateForm
from django import forms
from django.core.exceptions import ValidationError

from parvis.core.authentication.factors import has_second_factor


class StepUpForm(forms.Form):
    """Password, and the code of a second factor when the account has one; ``authenticator`` is the one that served."""

    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label="Code de votre application, ou code de secours",
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, account: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.authenticator = None
        if not account.has_usable_password():
            del self.fields["password"]
        if not has_second_factor(account):
            del self.fields["code"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.account.check_password(password):
            raise ValidationError("Ce mot de passe n’est pas le bon.")
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

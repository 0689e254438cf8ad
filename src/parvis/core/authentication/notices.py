"""Messages that tell a person what happened to the security of their account.

They leave from a job, never from the page: a page that sent mail would take longer for an account that exists.
"""

from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse

from parvis.core import clock
from parvis.core.identity.models import Account
from parvis.core.notifications.services import send
from parvis.core.organisations.models import Organisation
from parvis.core.web.templatetags.parvis import date_longue, heure

Facts = Mapping[str, Any]
ANSWERS = {
    Account.Population.USAGER: "la mairie de votre commune",
    Account.Population.AGENT: "la personne qui administre votre organisation",
    Account.Population.EXPLOITATION: "les autres exploitants de la plateforme",
}
"""Who answers somebody whose account is in trouble, by population: a citizen has no administration of their own."""


def address(name: str, **arguments: str) -> str:
    """Absolute address of a page, on the host of the platform whatever host the request named."""
    return settings.BASE_URL.rstrip("/") + reverse(name, kwargs=arguments or None)


def _who_answers(account: Account) -> str:
    return ANSWERS[Account.Population(account.population)]


def not_me(account: Account) -> str:
    """What somebody does of an event that is not theirs."""
    return (
        "Si ce n’est pas vous, changez votre mot de passe dès maintenant, fermez les sessions que vous ne reconnaissez"
        f" pas et prévenez {_who_answers(account)} :"
    )


def _happened(what: str) -> Callable[[Account, Facts], str]:
    def text(account: Account, facts: Facts) -> str:
        device = f"\nAppareil : {facts['device']}" if facts.get("device") else ""
        return f"{what}\n\nQuand : {facts['when']}{device}\n\n{not_me(account)}\n{address('authentication:security')}"

    return text


def _reset(account: Account, facts: Facts) -> str:
    key = PASSWORD_RESET_TOKEN_GENERATOR().make_token(account)
    link = address("account_reset_password_from_key", uidb36=user_pk_to_url_str(account), key=key)
    return (
        "Vous avez demandé à choisir un nouveau mot de passe. Ce lien sert une seule fois, pendant une heure :\n\n"
        f"{link}\n\nSi vous n’avez rien demandé, ne faites rien : votre mot de passe reste le même."
    )


def _why(facts: Facts) -> str:
    return f". Motif donné : {facts['reason']}" if facts.get("reason") else ""


def _jump(account: Account, facts: Facts) -> str:
    what = (
        f"Votre session, ouverte depuis « {facts['before']} », vient d’être reprise depuis « {facts['after']} »."
        " Elle ne continue qu’après une nouvelle preuve de votre identité."
    )
    return _happened(what)(account, facts)


NOTICES: dict[str, tuple[str, Callable[[Account, Facts], str]]] = {
    "reset": ("Choisir un nouveau mot de passe", _reset),
    "device": ("Nouvelle connexion à votre compte", _happened("Votre compte a été ouvert depuis un nouvel appareil.")),
    "session.jump": ("Votre session a changé de navigateur", _jump),
    "password": ("Mot de passe changé", _happened("Le mot de passe de votre compte a été changé.")),
    "factor.added": ("Second facteur ajouté", _happened("Un second facteur a été ajouté à votre compte.")),
    "factor.removed": ("Second facteur retiré", _happened("Un second facteur a été retiré de votre compte.")),
    "factor.codes": ("Nouveaux codes de secours", _happened("De nouveaux codes de secours ont été créés.")),
    "factor.clone": (
        "Clé d’accès refusée",
        _happened("Une de vos clés d’accès a été refusée, car une copie de cette clé a peut-être servi."),
    ),
    "closed": (
        "Votre compte est indisponible",
        lambda account, facts: (
            "Quelqu’un vient de saisir votre mot de passe, mais votre compte est suspendu ou fermé. Pour savoir"
            f" pourquoi ou pour le rouvrir, adressez-vous à {_who_answers(account)}."
        ),
    ),
    "factor.reset.asked": (
        "Remise à zéro de votre second facteur",
        lambda account, facts: (
            f"{facts['asker']} demande que votre second facteur soit remis à zéro{_why(facts)}. Ce sera possible à"
            f" partir du {facts['from']}, si la plateforme l’approuve ; vous devrez alors en choisir un nouveau.\n\nSi"
            " vous n’avez rien demandé, annulez dès maintenant depuis la page de sécurité de votre compte, ou prévenez"
            f" votre organisation :\n{address('authentication:security')}"
        ),
    ),
    "administrator.reset.told": (
        "Remise à zéro du second facteur de votre administration",
        lambda account, facts: (
            f"L’exploitation de la plateforme demande que le second facteur de {facts['holder']}, seule personne qui"
            f" administre {facts['organisation']}, soit remis à zéro{_why(facts)}. Ce sera possible à partir du"
            f" {facts['from']}, si un second exploitant l’approuve.\n\nVérifiez de vive voix avec {facts['holder']}. Si"
            " vous ne reconnaissez pas cette demande, prévenez la plateforme avant ce moment :\n"
            f"{address('portal:contact')}"
        ),
    ),
    "administrator.reset.done": (
        "Second facteur de votre administration remis à zéro",
        lambda account, facts: (
            f"Le second facteur de {facts['holder']}, qui administre {facts['organisation']}, a été remis à zéro le"
            f" {facts['when']}, à la demande de l’exploitation de la plateforme.\n\nSi vous ne savez rien de cette"
            f" décision, prévenez la plateforme :\n{address('portal:contact')}"
        ),
    ),
    "operator.reset.asked": (
        "Remise à zéro de vos facteurs d’exploitant",
        lambda account, facts: (
            f"{facts['asker']} demande que vos moyens de connexion d’exploitant soient remis à zéro. Ce sera possible"
            f" à partir du {facts['from']}, si une troisième personne l’approuve.\n\nSi vous n’avez rien perdu, annulez"
            " dès maintenant depuis la page de sécurité de votre compte et prévenez les autres exploitants :\n"
            f"{address('authentication:security')}"
        ),
    ),
    "operator.reset.told": (
        "Remise à zéro des facteurs d’un exploitant",
        lambda account, facts: (
            f"{facts['asker']} demande que les moyens de connexion de {facts['holder']}, exploitant de la plateforme,"
            f" soient remis à zéro. Ce sera possible à partir du {facts['from']}. Vérifiez de vive voix avec"
            f" {facts['holder']} avant d’approuver, ou écartez la demande :\n"
            f"{address('authentication_platform:requests')}"
        ),
    ),
    "operator.reset.done": (
        "Facteurs d’un exploitant remis à zéro",
        lambda account, facts: (
            f"Les moyens de connexion de {facts['holder']}, exploitant de la plateforme, ont été remis à zéro le"
            f" {facts['when']}."
        ),
    ),
    "operator.named": (
        "Un exploitant nommé depuis le serveur",
        lambda account, facts: (
            f"{facts['holder']} ({facts['address']}) exploite la plateforme depuis le {facts['when']}, par une commande"
            f" du serveur{_why(facts)}.\n\nSi vous ne savez rien de cette décision, prévenez la direction du numérique"
            " de la métropole, puis retirez cette personne :\n"
            f"{address('platform:operators')}"
        ),
    ),
    "factor.reset.done": (
        "Second facteur remis à zéro",
        _happened("Votre second facteur a été remis à zéro et vos sessions sont fermées."),
    ),
}


def tell(account: Account | None, kind: str, **facts: Any) -> None:
    """Have ``account`` told of ``kind``; for None the same work is done and nobody is told."""
    from parvis.core.authentication.tasks import tell_account  # the tasks import this module

    platform = Organisation.objects.filter(kind=Organisation.Kind.METROPOLE).order_by("pk").first()
    now = clock.paris(clock.now())
    facts = {"when": f"{date_longue(now)} à {heure(now)}", **facts}
    tell_account.enqueue(platform.pk if platform else 0, account=account.pk if account else 0, kind=kind, facts=facts)


def deliver(platform: Organisation | None, account: Account, kind: str, facts: Facts) -> None:
    """Send the message now. Raises ``MessageNotSent`` when the relay refuses it."""
    subject, text = NOTICES[kind]
    body = f"Bonjour {account.full_name},\n\n{text(account, facts)}\n"
    if platform is None:
        send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [account.email])
    else:
        send(platform, account.email, subject, body)

"""An agent's session that changes browser may be a stolen one: its holder is told, and it waits for a new proof.

What is compared is the family of the browser and of its system, which an update does not change; never the network
address, which changes all day long. The proof must come after the jump, however recent the former one is: it gives
the session a new identifier, so that whoever copied the former one is out.
"""

import time
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from parvis.core.authentication import notices, sessions, stepup
from parvis.core.authentication.devices import UNKNOWN, describe
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account

DOUBT: Final = "authentication.doubt"
"""Session key: ``since`` when (``time.time()``) a proof is wanted, and which browsers were told why."""
PROOFS: Final = frozenset(
    {
        "authentication:step_up",
        "account_reauthenticate",
        "account_logout",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)
"""What a session in doubt still opens, besides the pages that are for everybody."""
ASKING_THEMSELVES: Final = frozenset({"saml:go_on"})
"""Views that answer for another site, which may want no page shown; those of OpenID Connect are open ones."""
SENTENCE: Final = (
    "Votre session change de navigateur. Confirmez que c’est bien vous : elle continuera ensuite où vous en étiez."
)


def ask(request: HttpRequest, view: Any) -> HttpResponse | None:
    """None where the session goes on; otherwise the way to the page that asks for a proof."""
    since = wanted_since(request)
    return None if not since or _stays_open(request, view) else prove(request, since)


def wanted_since(request: HttpRequest) -> int:
    """The instant (``time.time()``) that the proof which this session owes must follow; 0 where it owes none.

    Shows nothing to the person.
    """
    account, session = request.user, request.session
    if not isinstance(account, Account) or account.population == Account.Population.USAGER:
        return 0
    here, known = describe(request.META.get("HTTP_USER_AGENT", "")), session.get(sessions.BROWSER, UNKNOWN)
    doubt = session.get(DOUBT)
    if doubt is None and known in (here, UNKNOWN):
        if known != here:
            session[sessions.BROWSER] = here
        return 0
    if doubt is None:
        doubt = session[DOUBT] = {"since": int(time.time()) + 1, "told": []}
        audit("user.session.jump", account=account, request=request, data={"from": known, "to": here})
        notices.tell(account, "session.jump", before=known, after=here)
    elif stepup.is_fresh(request, doubt["since"]):
        session[sessions.BROWSER] = here
        del session[DOUBT]
        return 0
    return int(doubt["since"])


def _stays_open(request: HttpRequest, view: Any) -> bool:
    match = request.resolver_match
    if match is not None and match.view_name in PROOFS | ASKING_THEMSELVES:
        return True
    return getattr(getattr(view, "access", None), "kind", "") in ("open", "public")


def prove(request: HttpRequest, since: int, back: str = "") -> HttpResponse:
    """The way to the page that asks for a proof after ``since``, then goes on to ``back``, or else to what ``request``
    asks, which is kept. Each browser is told why once."""
    doubt, here = request.session[DOUBT], describe(request.META.get("HTTP_USER_AGENT", ""))
    if here not in doubt["told"]:
        request.session[DOUBT] = {**doubt, "told": [*doubt["told"], here]}
        messages.warning(request, SENTENCE)
    if back:
        return HttpResponseRedirect(stepup.address(back, since=since), status=303)
    sent = request.method not in ("GET", "HEAD")
    wanted = {"suite": stepup.keep(request)} if sent else {"next": request.get_full_path()}
    address = f"{reverse('authentication:step_up')}?{urlencode(wanted | {'depuis': str(since)})}"
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address, status=303)

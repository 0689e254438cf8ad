"""Where the code chooses for whom a transaction acts, read from its source.

The decorators of ``access`` choose it from the address and the mandates. A view that chose it again from what it
was sent would open any organisation to anybody, and row security would let it. So a function that holds a request
may only act for ``request.organisation`` and ``request.user``; anything else is listed here with its reason, and so
is every module that chooses a scope at all.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3] / "src"
CHOOSERS = {"acting_for", "public_view_of", "identity_of", "in_scope"}

# The settings themselves, which nothing but tenancy writes.
SETTINGS = ("parvis.organisations", "parvis.public_organisation", "parvis.account")

# What a request proves by itself, once the decorator of the view has let it in.
PROVED = {"request.organisation", "request.user.pk", "request.user"}

CORE, EDEMAT = "parvis.core.", "parvis.edemat."

# module:function -> why what it acts for may be something else.
ELSEWHERE = {
    CORE + "identity.access:_note_use": "the organisation of the address, once a mandate in it is found",
    CORE + "identity.access:agent_view.decorate.guarded": "the organisation of the address, once a mandate is found",
    CORE + "identity.access:account_view.decorate.guarded": "those of the mandates in force",
    CORE + "identity.access:public_view.decorate.guarded": "the organisation of the address, its public rows alone",
    CORE + "identity.views.account:events": "request.user under another name",
    CORE + "authentication.administration:requests": "platform_view: operators read resets of every organisation",
    CORE + "authentication.administration:decide": "platform_view: operators decide resets of every organisation",
    CORE
    + "authentication.administration:ask_for_administrator.act": "platform_view: operators ask for an organisation",
    CORE + "branding.views:sample": "request.organisation with another look, its public rows alone",
    CORE
    + "organisations.platform:_trace": "service of the platform's pages, which writes the journal of the one changed",
    CORE + "organisations.views.platform:listing": "platform_view: operators approve administrations",
    CORE + "organisations.views.platform:detail": "platform_view: operators approve administrations",
    CORE + "organisations.views.platform:first_administrator": "platform_view: operators propose an administration",
    CORE + "organisations.views.platform:answer_administrator": "platform_view: operators approve an administration",
    CORE + "identity.suspension:_suspend": "account that an administration or an operator suspends",
    CORE + "portal.announcements:announcements_for": "the métropole, its public rows alone",
    CORE + "provider.views.endpoints:_answer": "holder of the code or token presented, which is their proof",
    CORE + "provider.views.login:_subject": "request.user under another name",
    CORE + "provider.views.login:consent": "request.user under another name",
    CORE + "provider.views.login:_issue": "request.user under another name",
    CORE + "provider.views.platform:approval": "platform_view: operators read what every organisation proposes",
    CORE + "saml.views:go_on": "organisation of the site, kept in the session once its request was verified",
    CORE + "saml.views:_answer": "organisation of the site, whose request was verified",
    EDEMAT + "actes.portal:find_public_acts": "public rows alone",
    "parvis.opendata.searching:find_datasets": "public rows alone, of mandates' organisations and the commune chosen",
}

# Modules that choose a scope where no request is at hand: who gives them the organisation or the account. Jobs
# (modules named « tasks ») act for the organisation that asked for them.
MODULES = {
    CORE + "api.credentials": "SIREN of the credentials presented, to compare their secret",
    CORE + "documents.infections": "the organisation for which the file was being stored",
    CORE + "entities.services": "the account that is logged in",
    CORE + "federation.agents": "SIRET that ProConnect signed, then the organisation of the invitation or request",
    CORE + "federation.arrivals": "organisation of the directory that signed, the account that it names or logged in",
    CORE + "federation.directories": "platform_view: operators decide for every organisation",
    CORE + "federation.links": "account found by the identity that the provider signed, or logged in",
    CORE + "identity.access": "the account that is logged in",
    CORE + "identity.audit": "the organisation and the account that the event is about",
    CORE + "identity.deletion": "the account that is logged in, or named by the token of its message",
    CORE + "identity.dormancy": "job over dormant accounts",
    CORE + "identity.exporting": "the account that is logged in, or that asked for the job",
    CORE + "identity.mails": "the account that the message is for",
    CORE + "identity.profile": "the account that is logged in",
    CORE + "identity.suspension": "the account that the administration of its only organisation suspends",
    CORE + "jobs.decorator": "the organisation that asked for the job",
    CORE + "journal.export": "command of the operator",
    CORE + "journal.sealing": "job over every organisation",
    CORE + "organisations.imports": "job of an import, for the organisation that asked for it",
    CORE + "organisations.invitations": "the organisation acted for, or that of the token of the message",
    CORE + "portal.hosts": "the organisation that the platform's pages give a host to",
    CORE + "provider.grants": "holder of the grant",
    CORE + "provider.logout": "holder of the grants that end, organisation of each site told",
    CORE + "provider.services": "organisation of the site, holder of the agreement",
    CORE + "provider.subjects": "the account that is logged in, the organisation of the site",
    CORE + "saml.leaving": "organisation of each site that this session logged in to, the account of the agreement",
    CORE + "saml.services": "organisation of the site, the account that is logged in",
    EDEMAT + "actes.services.reception": "organisation that the ministry's message names by its act",
    EDEMAT + "actes.services.transmission": "job of a transmission",
    EDEMAT + "archives.services.controlling": "job of a transfer",
    EDEMAT + "parapheur.services": "job of a signature",
    EDEMAT + "seances.services.evidence": "job of a time-stamp",
}


def _chooser(call: ast.Call) -> str:
    """The name of the function of tenancy that is called, under whatever alias of its module."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return name if name in CHOOSERS else ""


def _functions(tree: ast.AST, above: str = "", holds: bool = False) -> Iterator[tuple[ast.AST, str, bool]]:
    """(node, name of the function around it, whether a function around it receives a request)."""
    for node in ast.iter_child_nodes(tree):
        name, here = above, holds
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{above}.{node.name}" if above else node.name
            arguments = (
                [] if isinstance(node, ast.ClassDef) else [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            )
            here = holds or "request" in arguments
        yield node, name, here
        yield from _functions(node, name, here)


def choices(source: str) -> Iterator[tuple[str, int, bool, list[str]]]:
    """(function, line, whether it holds a request, what it acts for) of each choice of a scope in ``source``."""
    for node, name, holds in _functions(ast.parse(source)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            aliased = [a.name for a in node.names if a.name in CHOOSERS and a.asname]
            if aliased:
                yield name, node.lineno, True, [f"{aliased[0]} under another name"]
        elif isinstance(node, ast.Call) and _chooser(node):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            yield name, node.lineno, holds, [ast.unparse(value) for value in given]


def modules() -> Iterator[tuple[str, str]]:
    """(dotted name, source) of every module of Parvis but tenancy itself."""
    for path in sorted((SOURCE / "parvis").rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        if name != "parvis.core.organisations.tenancy":
            yield name, path.read_text()


def strange_choices(sources: list[tuple[str, str]]) -> list[str]:
    """Choices of a scope that nothing explains, and explanations of what is gone."""
    faults, used = [], set()
    for module, source in sources:
        if "set_config" in source and any(setting in source for setting in SETTINGS) and ".migrations." not in module:
            faults.append(f"{module} writes a setting of row security by itself: call core/organisations/tenancy.py")
        for function, line, holds, given in choices(source):
            strange = [value for value in given if value not in PROVED]
            if not holds and module.endswith(".tasks"):
                continue
            if not holds:
                used.add(module)
                if module not in MODULES:
                    faults.append(
                        f"{module}:{line} chooses for whom it acts: write in MODULES of tests/core/identity/scopes.py\n"
                        f'    {module!r}: "who gives it the organisation or the account",'
                    )
            elif strange:
                used.add(f"{module}:{function}")
                if f"{module}:{function}" not in ELSEWHERE:
                    faults.append(
                        f"{module}:{line} {function} acts for {', '.join(strange)}, not for what the request proves\n"
                        f"    ({', '.join(sorted(PROVED))}). If nobody can choose it, write in ELSEWHERE of scopes.py\n"
                        f'    {f"{module}:{function}"!r}: "why",'
                    )
    faults += [
        f"{place} no longer chooses a scope: remove it from scopes.py" for place in {*ELSEWHERE, *MODULES} - used
    ]
    return faults

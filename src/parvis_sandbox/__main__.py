"""``python -m parvis_sandbox``: starts the other side on free loopback ports and says where in a JSON file.

PKI with OCSP, CRL and time-stamping; mail server with its inbox; the ministry's @CTES platform; FranceConnect and
ProConnect. Nothing it produces has any legal value.
"""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from parvis_sandbox import identity, mail, ministry, pki
from parvis_sandbox.clock import file_clock
from parvis_sandbox.ministry.returns import SENDER

MAILBOX_PASSWORD = "bac-a-sable"  # noqa: S105  (a public password for invented mailboxes on loopback)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder where keys, mails and receipts are kept")
    parser.add_argument("--ports-file", type=Path, required=True, help="JSON file written once everything answers")
    parser.add_argument("--clock-file", type=Path, help="JSON file {offset_seconds} of the simulated clock")
    parser.add_argument("--returns-to", default="retours-actes@parvis.test", help="mailbox of the ministry's returns")
    parser.add_argument(
        "--signer",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "ORGANISATION", "SIREN"),
        help="issue a signing certificate for this invented person; its PKCS#12 is named in the ports file",
    )
    parser.add_argument(
        "--site",
        action="append",
        help="address of a Parvis that may send people to the identity providers (http://localhost:8000 when none)",
    )
    parser.add_argument(
        "--identities",
        type=Path,
        default=os.environ.get("PARVIS_SANDBOX_IDENTITIES"),
        help="CSV of fictional citizens (columns login, family_name, given_name, birthdate…); a few when absent",
    )
    options = parser.parse_args()
    options.state.mkdir(parents=True, exist_ok=True)

    clock = file_clock(options.clock_file)
    trust = pki.start(options.state, clock)
    post = mail.start(options.state, clock)
    state = ministry.start(options.state, clock, pki=trust, smtp=("127.0.0.1", post.smtp_port))
    known = identity.start(clock, sites=tuple(options.site or ["http://localhost:8000"]), people=options.identities)
    client = trust.issue_tls_client("Parvis, opérateur de transmission (bac à sable)")

    signers = [(name, trust.issue_signer(name, organisation, siren)) for name, organisation, siren in options.signer]

    facts = {
        "pki_url": trust.url,
        "tsa_url": trust.tsa_url,
        "ministry_url": state.url,
        "control_url": state.control_url,
        "inbox_url": post.http_url,
        "smtp_port": post.smtp_port,
        "imap_port": post.imap_port,
        "mailbox": options.returns_to,
        "mailbox_password": MAILBOX_PASSWORD,
        "ca_bundle": str(trust.ca_bundle),
        "root_certificate": str(trust.root_certificate),
        "issuing_certificate": str(trust.issuing_certificate),
        "tsa_certificate": str(trust.tsa_certificate),
        "signers": [{"name": n, "pkcs12": str(s.path), "password": s.password} for n, s in signers],
        "identity": {
            name: {"issuer": issuer, "control_url": known.control_url(name), "secret": known.client(name).client_secret}
            for name, issuer in known.urls.items()
        },
        "settings": {
            "PARVIS_FRANCECONNECT_ISSUER": known.issuer("franceconnect"),
            "PARVIS_FRANCECONNECT_CLIENT_ID": known.client("franceconnect").client_id,
            "PARVIS_FRANCECONNECT_CLIENT_SECRET": known.client("franceconnect").client_secret,
            "PARVIS_PROCONNECT_ISSUER": known.issuer("proconnect"),
            "PARVIS_PROCONNECT_CLIENT_ID": known.client("proconnect").client_id,
            "PARVIS_PROCONNECT_CLIENT_SECRET": known.client("proconnect").client_secret,
            "PARVIS_TSA_URLS": [trust.tsa_url],
            "PARVIS_TRUST_ROOTS_DIR": str(trust.trust_roots_dir),
            "PARVIS_TRUST_ALLOWED_HOSTS": ["127.0.0.1", "localhost"],
            "PARVIS_MINISTRY_URL": state.url,
            "PARVIS_MINISTRY_CLIENT_CERT": str(client.certificate),
            "PARVIS_MINISTRY_CLIENT_KEY": str(client.key),
            "PARVIS_MINISTRY_CA": str(trust.ca_bundle),
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": post.smtp_port,
            "PARVIS_ACTES_MAILBOX": {
                "host": "127.0.0.1",
                "port": post.imap_port,
                "tls": False,
                "user": options.returns_to,
                "password": MAILBOX_PASSWORD,
            },
            "PARVIS_ACTES_SENDERS": [SENDER],
        },
    }
    unfinished = options.ports_file.with_suffix(".part")
    unfinished.write_text(json.dumps(facts, indent=1))
    os.replace(unfinished, options.ports_file)

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    for service in (known, state, post, trust):
        service.stop()


if __name__ == "__main__":
    main()

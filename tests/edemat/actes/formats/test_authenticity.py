"""Who sent a mail, and what the receiving relay says of it: forged headers never count."""

from email import message_from_string

import pytest

from parvis.edemat.actes.formats.authenticity import is_allowed, is_verified, sender_of

STATE = "actes@interieur.test"


def mail(*headers: str):
    return message_from_string("\n".join([*headers, "Subject: x", "", "corps"]))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["From: ACTES <Actes@Interieur.test>"], STATE),
        (["From: actes@interieur.test"], STATE),
        (['From: "actes@interieur.test" <voleur@ailleurs.test>'], "voleur@ailleurs.test"),
        (["From: actes@interieur.test, voleur@ailleurs.test"], ""),
        (["From: actes@interieur.test", "From: voleur@ailleurs.test"], ""),
        (["From: actes@interieur.test <voleur@ailleurs.test>"], ""),
        (["From: actes@interieur.test\x00"], ""),
        (["From:"], ""),
        ([], ""),
    ],
)
def test_a_mail_has_one_sender_or_none(headers, expected):
    assert sender_of(mail(*headers)) == expected


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([STATE], True),
        (["@interieur.test"], True),
        (["@INTERIEUR.test"], True),
        (["@test"], False),
        (["@actes.interieur.test"], False),
        (["autre@interieur.test"], False),
        (["interieur.test"], False),
        ([], False),
    ],
)
def test_an_entry_allows_an_address_or_a_whole_domain(allowed, expected):
    assert is_allowed(STATE, allowed) is expected
    assert not is_allowed("", allowed)


OURS = "Authentication-Results: mx.parvis.test"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([f"{OURS}; dkim=pass header.d=interieur.test"], True),
        ([f"{OURS} 1; dkim=pass (2048-bit key) header.i=@interieur.test header.b=x"], True),
        ([f"{OURS};\n\tspf=pass smtp.mailfrom=rebonds@interieur.test;\n\tdkim=none"], True),
        ([f"{OURS}; spf=fail smtp.mailfrom=interieur.test; dkim=pass header.d=interieur.test"], True),
        ([f"{OURS}; dkim=fail header.d=interieur.test"], False),
        ([f"{OURS}; dkim=pass header.d=ailleurs.test"], False),
        ([f"{OURS}; dkim=pass header.d=interieur.test.ailleurs.test"], False),
        ([f"{OURS}; spf=pass smtp.mailfrom=voleur@ailleurs.test"], False),
        ([f"{OURS}; spf=pass smtp.helo=interieur.test"], False),
        ([f"{OURS}; dkim=pass"], False),
        ([f"{OURS}; none"], False),
        ([f"{OURS}; dkim=fail (dkim=pass header.d=interieur.test) header.d=interieur.test"], False),
        ([f'{OURS}; dkim=fail reason="; dkim=pass header.d=interieur.test" header.d=interieur.test'], False),
        ([f"{OURS}; dkim=pass header.d=ailleurs.test header.d=interieur.test"], False),
        (["Authentication-Results: mx.ailleurs.test; dkim=pass header.d=interieur.test"], False),
        (["Authentication-Results: mx.parvis.test.ailleurs.test; dkim=pass header.d=interieur.test"], False),
        ([f"{OURS}; dkim=none", f"{OURS}; dkim=pass header.d=interieur.test"], False),
        (["Authentication-Results: autre; dkim=fail", f"{OURS}; dkim=pass header.d=interieur.test"], True),
        ([], False),
    ],
)
def test_only_the_topmost_results_of_our_relay_count(headers, expected):
    assert is_verified(mail(*headers), STATE, "mx.parvis.test") is expected

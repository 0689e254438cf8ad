"""Import of agents: nothing before it is confirmed, nothing removed, nothing twice, ten thousand lines in a minute."""

import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.html import escape

from parvis.core import clock
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations.models import Department, ImportLine, Invitation, PeopleImport
from parvis.core.organisations.tenancy import acting_for
from tests.core.organisations.conftest import BASE
from tests.names import NAMES

pytestmark = pytest.mark.django_db
LIST = BASE + "personnes/imports/"
HEAD = "matricule;prenom;nom;courriel;role;qualite;service;debut;fin"


def csv(*lines: str) -> bytes:
    return "\r\n".join((HEAD, *lines)).encode()


@pytest.fixture
def upload(administrator, juvignac, run_jobs):
    """``upload(content, key=…, confirm=True)`` -> the outcomes by line, once the jobs have run."""

    def run(content: bytes, *, key: str = "courriel", confirm: bool = True):
        answer = administrator.post(LIST, {"file": SimpleUploadedFile("agents.csv", content), "key": key})
        assert answer.status_code == 302, answer.content.decode()
        run_jobs(queue="imports")
        if confirm:
            administrator.post(answer["Location"] + "confirmation/")
            run_jobs(queue="imports")
            run_jobs(queue="messages")
        with acting_for(juvignac):
            lines = ImportLine.objects.filter(batch__pk=answer["Location"].rstrip("/").rpartition("/")[2])
            return {line.number: (line.outcome, line.sentence) for line in lines}, answer["Location"]

    return run


def outcomes(found):
    return [outcome for outcome, _ in found[0].values()]


def test_examining_changes_nothing(upload, administrator, juvignac, mailoutbox):
    found, address = upload(csv("A1;Zoé;Durand;zoe@juvignac.test;Élu;;;;"), confirm=False)
    assert [o for o, _ in found.values()] == ["created"]
    with acting_for(juvignac):
        assert not Invitation.objects.exists()
    page = administrator.get(address).content.decode()
    assert "Rien n’a encore changé" in page
    assert "Zoé Durand" in page
    administrator.post(address + "abandon/")
    with acting_for(juvignac):
        assert PeopleImport.objects.get().state == "abandoned"
        assert not ImportLine.objects.exists()
    assert not mailoutbox


def test_new_people_are_invited_known_ones_receive_the_mandate(upload, juvignac, account_for, mailoutbox):
    known = account_for(juvignac, "elu", email="connu@juvignac.test")
    with acting_for(juvignac):
        Department.objects.create(organisation=juvignac, name="État civil")
    found = upload(
        csv(
            "A1;Zoé;Durand;zoe@juvignac.test;Consultation;Guichet;état civil;01/09/2019;",
            "A2;Camille;Essai;connu@juvignac.test;lecteur;;;;",
            "A3;Camille;Essai;connu@juvignac.test;Élu;Conseiller;;;",
        )
    )
    assert outcomes(found) == ["created", "created", "updated"]
    with acting_for(juvignac):
        invitation = Invitation.objects.get()
        assert (invitation.email, invitation.title, invitation.department.name) == (
            "zoe@juvignac.test", "Guichet", "État civil",
        )  # fmt: skip
        assert {m.role: (m.title, m.staff_number) for m in Mandate.objects.filter(account=known)} == {
            "lecteur": ("", "A2"), "elu": ("Conseiller", "A3"),
        }  # fmt: skip
        assert Entry.objects.filter(action="invitation.envoyee").count() == 1
        assert SecurityEvent.objects.filter(event="manager.user.csvimport.action", account=known).count() == 2
        run = SecurityEvent.objects.filter(event="manager.user.csvimport.run").order_by("at").last()
        assert (run.data["created"], run.data["updated"], run.actor.email) == (2, 1, "administrateur@juvignac.test")
    assert [m.to for m in mailoutbox] == [["zoe@juvignac.test"]]


def test_somebody_who_left_is_invited_anew_and_receives_nothing_before_accepting(upload, juvignac, account_for):
    left = account_for(juvignac, "elu", email="parti@juvignac.test")
    with acting_for(juvignac):
        Mandate.objects.filter(account=left).update(end="2019-01-01")
    found = upload(csv("A1;Camille;Essai;parti@juvignac.test;Consultation;;;01/01/2015;"))
    assert list(found[0].values()) == [("created", "Invitation envoyée.")]
    with acting_for(juvignac):
        assert Invitation.objects.get().email == left.email
        assert Mandate.objects.filter(account=left).count() == 1


def test_people_are_imported_under_their_own_names(upload, juvignac, administrator, mailoutbox):
    lines = [f"A{n};{given};{family};p{n}@juvignac.test;Élu;;;;" for n, (given, family) in enumerate(NAMES)]
    found = upload(csv(*lines))
    assert outcomes(found) == ["created"] * len(NAMES)
    with acting_for(juvignac):
        invited = dict(Invitation.objects.values_list("email", "given_name"))
        families = dict(Invitation.objects.values_list("email", "family_name"))
    assert [(invited[f"p{n}@juvignac.test"], families[f"p{n}@juvignac.test"]) for n in range(len(NAMES))] == list(NAMES)
    page = administrator.get(found[1]).content.decode()
    assert [f"{given} {family}" for given, family in NAMES if escape(f"{given} {family}") not in page] == []
    greeted = {message.to[0]: message.body.partition(",")[0] for message in mailoutbox}
    assert greeted == {f"p{n}@juvignac.test": f"Bonjour {given} {family}" for n, (given, family) in enumerate(NAMES)}


def test_the_same_file_again_changes_nothing(upload, juvignac, account_for, mailoutbox):
    account_for(juvignac, "elu", email="connu@juvignac.test")
    content = csv(
        "A1;Zoé;Durand;zoe@juvignac.test;Élu;;;01/09/2019;31/12/2099",
        "A2;C;E;connu@juvignac.test;Élu;Conseiller;;;",
        "A3;C;E;connu@juvignac.test;Consultation;;;;",
    )
    assert outcomes(upload(content)) == ["created", "updated", "created"]
    with acting_for(juvignac):
        before = sorted(map(str, Mandate.objects.values_list("pk", "title", "start", "end", "staff_number")))
    assert outcomes(upload(content)) == ["unchanged"] * 3
    with acting_for(juvignac):
        assert sorted(map(str, Mandate.objects.values_list("pk", "title", "start", "end", "staff_number"))) == before
        assert Invitation.objects.count() == 1
    assert len(mailoutbox) == 1


def test_an_account_elsewhere_makes_no_difference_in_the_report(upload, fabregues, account_for):
    account_for(fabregues, "elu", email="ailleurs@fabregues.test")
    Account.objects.create_user("usager@exemple.test", population="usager", given_name="U", family_name="U")
    found, _ = upload(
        csv(*(f";P;N;{mail};Élu;;;;" for mail in ("ailleurs@fabregues.test", "usager@exemple.test", "z@z.fr")))
    )
    assert {tuple(value) for value in found.values()} == {("created", "Invitation envoyée.")}


def test_what_is_refused_says_why(upload, juvignac, administrator, account_for):
    found, address = upload(
        csv(
            f";A;B;{administrator.account.email};Élu;;;;",
            ";A;B;a@b.fr;Sorcier;;;;",
            ";A;B;c@b.fr;Élu;;Nulle part;;",
            ";A;B;d@b.fr;Élu;;;;01/01/2000",
            ";=1+1;B;e@b.fr;Élu;;;;",
        )
    )
    assert [o for o, _ in found.values()] == ["refused"] * 5
    sentences = " ".join(s for _, s in found.values())
    for words in ("C’est vous", "« Sorcier » n’existe pas", "« Nulle part » n’existe pas", "est passée", "formule"):
        assert words in sentences
    report = b"".join(administrator.get(address + "rapport.csv").streaming_content).decode("utf-8-sig")
    assert "'=1+1" in report
    assert len(report.splitlines()) == 6


def test_a_staff_number_finds_the_person_but_changes_nobodys_address(upload, juvignac, account_for):
    known = account_for(juvignac, "elu", email="connu@juvignac.test")
    with acting_for(juvignac):
        Mandate.objects.filter(account=known).update(staff_number="A1")
    found, _ = upload(
        csv(
            "A1;C;E;connu@juvignac.test;Élu;Adjointe;;;",
            "A1;C;E;nouvelle@juvignac.test;Consultation;;;;",
            "A9;C;E;connu@juvignac.test;Consultation;;;;",
        ),
        key="matricule",
    )
    assert [o for o, _ in found.values()] == ["updated", "refused", "refused"]
    assert "elle seule peut en changer" in found[3][1]
    assert "autre matricule" in found[4][1]
    known.refresh_from_db()
    assert known.email == "connu@juvignac.test"


def test_the_last_administrator_is_not_dated_by_a_file(upload, juvignac, administrator, account_for):
    other = account_for(juvignac, "administrateur", email="autre@juvignac.test")
    with acting_for(juvignac):
        Mandate.objects.filter(account=administrator.account).update(end=clock.today())
    assert outcomes(upload(csv(";C;E;autre@juvignac.test;administrateur;;;;31/12/2098"))) == ["refused"]
    with acting_for(juvignac):
        assert Mandate.objects.get(account=other).end is None


def test_rights_lost_meanwhile_stop_the_import(administrator, juvignac, run_jobs, account_for):
    account_for(juvignac, "administrateur", email="autre@juvignac.test")
    address = administrator.post(
        LIST, {"file": SimpleUploadedFile("a.csv", csv(";P;N;z@z.fr;Élu;;;;")), "key": "courriel"}
    )["Location"]
    run_jobs(queue="imports")
    administrator.post(address + "confirmation/")
    with acting_for(juvignac):
        Mandate.objects.filter(account=administrator.account).update(end="2019-01-01")
    run_jobs(queue="imports")
    with acting_for(juvignac):
        assert ImportLine.objects.get().outcome == "refused"
        assert not Invitation.objects.exists()


def test_progress_is_read_from_the_database_and_survives_a_reload(administrator, juvignac, run_jobs):
    lines = [f";P{n};N;p{n}@z.fr;Élu;;;;" for n in range(3)]
    address = administrator.post(LIST, {"file": SimpleUploadedFile("a.csv", csv(*lines)), "key": "courriel"})[
        "Location"
    ]
    for _ in range(2):
        assert "Examen en cours" in administrator.get(address).content.decode()
    moving = administrator.get(address + "avancement/")
    assert "HX-Refresh" not in moving
    run_jobs(queue="imports")
    assert administrator.get(address + "avancement/")["HX-Refresh"] == "true"


@pytest.mark.parametrize("action", ["", "avancement/", "rapport.csv", "confirmation/", "abandon/"])
def test_a_neighbours_import_is_missing(administrator, fabregues, action):
    with acting_for(fabregues):
        theirs = PeopleImport.objects.create(
            organisation=fabregues, filename="x", state="examined", encoding="UTF-8", created_at=clock.now(), total=0
        )
    assert administrator.get(f"{LIST}{theirs.pk}/{action}").status_code in (404, 405)
    assert administrator.post(f"{LIST}{theirs.pk}/{action}").status_code in (404, 405)
    with acting_for(fabregues):
        assert PeopleImport.objects.get().state == "examined"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * (2 * 1024 * 1024 + 1), "dépasse 2\u00a0Mio"),
        ("prenom;nom".encode("utf-16"), "ni en UTF-8"),
        (b"prenom;nom\nA;B", "manque la colonne"),
        (b"a\0b", "ni en UTF-8"),
    ],
)
def test_a_bad_file_is_told_beside_its_field(administrator, content, words):
    page = administrator.post(LIST, {"file": SimpleUploadedFile("a.csv", content), "key": "courriel"})
    assert words in page.content.decode()


def test_the_template_is_a_file_that_would_be_read(administrator):
    from parvis.core.organisations import people_csv

    content = b"".join(administrator.get(LIST + "modele.csv").streaming_content)
    assert people_csv.read(content).lines[0].problem == ""


def test_ten_thousand_lines_within_a_minute(administrator, juvignac, run_jobs):
    """Deposit, examination and import; the messages leave afterwards at the pace of the relay."""
    content = csv(*(f"M{n};Prénom;Nom{n};p{n}@juvignac.test;Consultation;Agent;;01/09/2019;" for n in range(10_000)))
    started = time.monotonic()
    address = administrator.post(LIST, {"file": SimpleUploadedFile("a.csv", content), "key": "courriel"})["Location"]
    run_jobs(queue="imports")
    administrator.post(address + "confirmation/")
    run_jobs(queue="imports")
    elapsed = time.monotonic() - started
    with acting_for(juvignac):
        assert Invitation.objects.count() == 10_000
        assert PeopleImport.objects.get().state == "done"
    assert elapsed < 60, f"{elapsed:.0f} s"

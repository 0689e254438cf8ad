"""Bodies and their tableau: what the law derives, ranks, replacement, accounts, import and export."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from parvis.core.identity.models import Mandate
from parvis.core.journal.models import Entry
from parvis.core.organisations.people_csv import FileRefused
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.seances import services
from parvis.edemat.seances.errors import TableauRefused
from parvis.edemat.seances.formats.regimes import council_size
from parvis.edemat.seances.models import Elu, Organe
from parvis.edemat.seances.tasks import follow_terms

from .council import ACTOR

SINCE = date(2014, 3, 30)


@pytest.fixture
def organe(juvignac, frozen_clock):
    frozen_clock("2019-06-01T09:00+02:00")
    with acting_for(juvignac):
        yield services.create_organe(juvignac, name="Conseil municipal", since=SINCE, actor=ACTOR)


def _add(organe, name, **fields):
    given = {"civility": "Mme", "email": f"{name}@juvignac.test", "term_start": SINCE} | fields
    return services.add_elu(organe, family_name=name, actor=ACTOR, **given)


def _tableau(organe):
    return [(elu.rank, elu.family_name) for elu in organe.elus.on_tableau().order_by("rank")]


# -- bodies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("population", "size"),
    [(99, 7), (100, 11), (1_499, 15), (1_500, 19), (3_499, 23), (3_500, 27), (9_999, 29), (10_979, 33), (400_000, 69)],
)
def test_the_size_of_a_council_follows_the_population(population, size):
    assert council_size(population) == size


@pytest.mark.parametrize(
    ("population", "code", "days", "seats"), [(3_499, "commune_lt3500", 3, 23), (3_500, "commune_ge3500", 5, 27)]
)
def test_regime_and_size_are_computed_from_the_population(organe, population, code, days, seats):
    made = services.create_organe(organe.organisation, name="Autre", since=SINCE, population=population, actor=ACTOR)
    regime = made.regime_on(date(2019, 7, 1))
    assert (regime.code, regime.minimum_days, made.seats) == (code, days, seats)


def test_the_size_fixed_at_the_last_renewal_is_kept(organe):
    made = services.create_organe(organe.organisation, name="Autre", since=SINCE, seats=29, actor=ACTOR)
    assert made.seats == 29


def test_two_bodies_do_not_share_a_name(organe):
    with pytest.raises(TableauRefused, match="s’appelle déjà"):
        services.create_organe(organe.organisation, name="conseil municipal", since=SINCE, actor=ACTOR)


def test_another_regime_begins_on_its_day(organe):
    services.change_regime(organe, code="commune_lt3500", since=date(2020, 6, 28), actor=ACTOR)
    assert organe.regime_on(date(2020, 6, 27)).minimum_days == 5
    assert organe.regime_on(date(2020, 6, 28)).minimum_days == 3
    with pytest.raises(TableauRefused, match="déjà sous ce régime"):
        services.change_regime(organe, code="commune_lt3500", since=date(2026, 3, 29), actor=ACTOR)
    with pytest.raises(TableauRefused, match="commence après"):
        services.change_regime(organe, code="ccas", since=date(2014, 1, 1), actor=ACTOR)


# -- members ----------------------------------------------------------------------------------------------


def test_a_member_added_at_a_rank_moves_the_others_back(organe):
    for name in ("A", "B", "C"):
        _add(organe, name)
    _add(organe, "D", rank=2)
    assert _tableau(organe) == [(1, "A"), (2, "D"), (3, "B"), (4, "C")]


@pytest.mark.parametrize(("rank", "order"), [(1, "CAB"), (2, "ACB"), (3, "ABC"), (99, "ABC"), (None, "ABC")])
def test_moving_a_member_deals_the_ranks_again(organe, rank, order):
    for name in ("A", "B", "C"):
        _add(organe, name)
    services.change_elu(Elu.objects.get(family_name="C"), rank=rank, actor=ACTOR)
    assert _tableau(organe) == list(enumerate(order, start=1))


def test_a_change_of_address_is_journalled_without_the_address(organe):
    elu = _add(organe, "A")
    services.change_elu(elu, email="neuve@juvignac.test", actor=ACTOR)
    entry = Entry.objects.get(action="seances.elu_modifie")
    assert entry.details == {"fields": ["email"]}


def test_without_address_a_member_is_convened_on_paper_or_refused(organe):
    with pytest.raises(TableauRefused, match="choisissez le papier"):
        _add(organe, "A", email="")
    assert _add(organe, "A", email="", channel="papier").rank == 1


def test_the_same_person_is_on_the_tableau_once(organe):
    _add(organe, "Durand", given_name="Zoé")
    with pytest.raises(TableauRefused, match="n’y figure qu’une fois"):
        _add(organe, "durand", given_name="Zoé")
    _add(organe, "Durand", given_name="Anne")


def test_a_resignation_closes_the_ranks_and_seats_the_next_on_the_list(organe, frozen_clock, run_jobs):
    for name in ("A", "B", "C"):
        _add(organe, name)
    leaving = Elu.objects.get(family_name="B")
    new = services.replace_elu(
        leaving, on=date(2019, 6, 10), civility="M.", family_name="Suivant", email="s@juvignac.test", actor=ACTOR
    )
    assert _tableau(organe) == [(1, "A"), (2, "B"), (3, "C"), (4, "Suivant")]
    frozen_clock("2019-06-11T00:05+02:00")
    follow_terms()
    run_jobs(queue="seances")
    assert _tableau(organe) == [(1, "A"), (2, "C"), (3, "Suivant")]
    assert (new.replaces, new.term_start) == (leaving, date(2019, 6, 11))
    names = lambda day: {elu.family_name for elu in organe.elus.in_office(day)}  # noqa: E731
    assert names(date(2019, 6, 10)) == {"A", "B", "C"}
    assert names(date(2019, 6, 11)) == {"A", "C", "Suivant"}


def test_a_member_whose_term_will_end_stays_on_the_tableau_and_in_its_place(organe, agent_client, juvignac):
    for name in ("Maire", "Suivante"):
        _add(organe, name)
    services.end_term(Elu.objects.get(family_name="Maire"), on=date(2019, 6, 10), actor=ACTOR)
    assert _tableau(organe) == [(1, "Maire"), (2, "Suivante")]
    assert organe.elus.in_office(date(2019, 6, 1)).order_by("rank").first().family_name == "Maire"
    body = agent_client(juvignac, "secretaire").get(_url("organe", organe.pk)).content.decode()
    assert "jusqu’au 10" in body
    assert "mandat terminé" not in body


def test_a_term_already_over_closes_the_ranks_at_once(organe):
    for name in ("A", "B"):
        _add(organe, name)
    services.end_term(Elu.objects.get(family_name="A"), on=date(2019, 5, 31), actor=ACTOR)
    assert _tableau(organe) == [(1, "B")]


def test_a_member_elected_again_is_added_by_the_file_of_the_next_term(organe):
    elu = _add(organe, "Durand", given_name="Zoé")
    services.end_term(elu, on=date(2019, 6, 10), actor=ACTOR)
    content = _file("Mme;Zoé;Durand;;;z@juvignac.test;;")
    assert _outcomes(services.examine_tableau(organe, content, since=date(2019, 6, 10), actor=ACTOR)) == [
        (2, "changed")
    ]
    assert _outcomes(services.examine_tableau(organe, content, since=date(2019, 6, 11), actor=ACTOR)) == [(2, "added")]


def test_a_term_ends_once_and_after_its_start(organe):
    elu = _add(organe, "A")
    with pytest.raises(TableauRefused, match="ne peut pas finir avant"):
        services.end_term(elu, on=date(2014, 1, 1), actor=ACTOR)
    services.end_term(elu, on=date(2019, 6, 10), actor=ACTOR)
    with pytest.raises(TableauRefused, match="déjà une fin"):
        services.end_term(elu, on=date(2019, 6, 12), actor=ACTOR)


# -- accounts ---------------------------------------------------------------------------------------------


def test_the_account_of_the_same_address_is_linked_and_sees_the_convocation(organe, juvignac, account_for):
    account = account_for(juvignac, "elu", email="zoe@juvignac.test")
    assert _add(organe, "A", email="Zoe@juvignac.test").account == account


def test_an_account_that_does_not_sit_is_not_linked(organe, juvignac, account_for):
    account = account_for(juvignac, "lecteur", email="zoe@juvignac.test")
    assert _add(organe, "A", email="zoe@juvignac.test").account is None
    with pytest.raises(TableauRefused, match="rôle d’élu"):
        _add(organe, "B", account=account)


def test_a_member_keeps_an_account_whose_mandate_is_over(organe, juvignac, account_for, agent_client):
    account = account_for(juvignac, "elu", email="zoe@juvignac.test")
    elu = _add(organe, "Durand", email="zoe@juvignac.test")
    Mandate.objects.filter(account=account).update(end=date(2019, 5, 31))
    secretary = agent_client(juvignac, "secretaire")
    form = secretary.get(_url("edit_elu", elu.pk)).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {"function": "Adjointe"}
    assert secretary.post(_url("edit_elu", elu.pk), typed).status_code == 302
    elu.refresh_from_db()
    assert (elu.function, elu.account) == ("Adjointe", account)


def test_an_account_made_later_is_linked_on_demand(organe, juvignac, account_for):
    elu = _add(organe, "A", email="zoe@juvignac.test")
    assert services.link_accounts(organe, actor=ACTOR) == []
    account = account_for(juvignac, "elu", email="zoe@juvignac.test")
    assert services.link_accounts(organe, actor=ACTOR) == [elu]
    assert Elu.objects.get(pk=elu.pk).account == account


def test_an_address_typed_in_another_way_finds_its_account(organe, juvignac, account_for, agent_client):
    elu = _add(organe, "A", email="zoe@Mairie-Évry.test")
    other = _add(organe, "B", email="adresse\u00a0illisible@")
    account = account_for(juvignac, "elu", email="zoe@xn--mairie-vry-h7a.test")
    page = agent_client(juvignac, "secretaire").get(_url("organe", organe.pk))
    assert page.context["linkable"] == {elu.pk}
    assert services.link_accounts(organe, actor=ACTOR) == [elu]
    assert (Elu.objects.get(pk=elu.pk).account, Elu.objects.get(pk=other.pk).account) == (account, None)


# -- import -----------------------------------------------------------------------------------------------

HEAD = "civilite;prenom;nom;fonction;groupe;courriel;canal;debut"


def _file(*lines: str, head: str = HEAD) -> bytes:
    return "\r\n".join((head, *lines)).encode()


def _outcomes(report):
    return [(line.number, line.outcome) for line in report.lines]


def test_a_file_is_examined_without_keeping_anything_then_done(organe):
    content = _file("Mme;Zoé;Durand;Maire;;zoe@juvignac.test;;", "M.;Luc;Petit;;;;papier;2016-01-01")
    examined = services.examine_tableau(organe, content, since=SINCE, actor=ACTOR)
    assert _outcomes(examined) == [(2, "added"), (3, "added")]
    assert not organe.elus.exists()
    assert not Entry.objects.filter(action="seances.tableau_importe").exists()
    services.import_tableau(organe, content, since=SINCE, actor=ACTOR)
    assert _tableau(organe) == [(1, "Durand"), (2, "Petit")]
    assert [elu.term_start for elu in organe.elus.order_by("rank")] == [SINCE, date(2016, 1, 1)]


def test_the_same_file_again_changes_nothing_and_empty_cells_neither(organe):
    content = _file("Mme;Zoé;Durand;Maire;Ensemble;zoe@juvignac.test;;")
    services.import_tableau(organe, content, since=SINCE, actor=ACTOR)
    assert _outcomes(services.import_tableau(organe, content, since=SINCE, actor=ACTOR)) == [(2, "same")]
    report = services.import_tableau(
        organe, _file("Mme;ZOÉ;DURAND;;;nouvelle@juvignac.test;;"), since=SINCE, actor=ACTOR
    )
    assert [(line.outcome, line.sentence) for line in report.lines] == [("changed", "Change : adresse électronique.")]
    assert organe.elus.get().group == "Ensemble"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Mlle;Zoé;Durand;;;z@c.fr;;", "écrivez « Mme » ou « M. »"),
        ("Mme;Zoé;;;;z@c.fr;;", "« nom » est vide"),
        ("Mme;Zoé;Durand;;;zoe;;", "n’est pas une adresse électronique"),
        ("Mme;Zoé;Durand;;;z@c.fr;pigeon;", "écrivez « courriel » ou « papier »"),
        ("Mme;Zoé;Durand;;;z@c.fr;;31/02/2014", "date de début n’est pas lisible"),
        ("Mme;Zoé;Durand;;;;;", "indiquez une adresse"),
        ("Mme;Zoé;=1+1;;;z@c.fr;;", "comme une formule"),
        ("Mme;Zoé;Durand;;;z@c.fr;;;;", "plus de cases que de colonnes"),
    ],
)
def test_a_wrong_line_is_told_and_the_others_are_done(organe, line, sentence):
    report = services.import_tableau(organe, _file(line, "M.;Luc;Petit;;;l@c.fr;;"), since=SINCE, actor=ACTOR)
    assert [told.outcome for told in report.lines] == ["refused", "added"]
    assert sentence in report.lines[0].sentence
    assert _tableau(organe) == [(1, "Petit")]


def test_a_file_reads_once_who_may_sit(organe, juvignac, account_for):
    accounts = [account_for(juvignac, "elu", email=f"{name}@c.fr") for name in "ab"]
    with CaptureQueriesContext(connection) as queries:
        services.import_tableau(organe, _file("Mme;Zoé;A;;;A@c.fr;;", "M.;Luc;B;;;b@c.fr;;"), since=SINCE, actor=ACTOR)
    assert sum('FROM "identity_mandate"' in query["sql"] for query in queries) == 1
    assert [elu.account for elu in organe.elus.order_by("rank")] == accounts


def test_a_member_is_known_by_another_apostrophe(organe):
    services.import_tableau(organe, _file("Mme;Zoé;N’Guyen-D’Août;;;z@c.fr;;"), since=SINCE, actor=ACTOR)
    again = services.import_tableau(organe, _file("Mme;Zoé;N'Guyen-D'Août;;;z@c.fr;;"), since=SINCE, actor=ACTOR)
    assert [told.outcome for told in again.lines] == ["same"]
    assert organe.elus.on_tableau().count() == 1


def test_a_name_that_no_deliberation_could_print_is_refused_in_words(organe):
    with pytest.raises(TableauRefused, match="« 李 » ne s’imprime pas sur une délibération"):
        _add(organe, "李")


def test_a_member_twice_in_the_file_is_wrong_the_second_time(organe):
    report = services.import_tableau(
        organe, _file("M.;Luc;Petit;;;l@c.fr;;", "M.;Luc;PETIT;;;m@c.fr;;"), since=SINCE, actor=ACTOR
    )
    assert "déjà à la ligne 2" in report.lines[1].sentence


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"nom;prenom\nA;B", "« civilite »"), (b"civilite;nom", "aucune personne"), (b"", "vide")]
)
def test_a_file_without_its_columns_is_refused(organe, content, sentence):
    with pytest.raises(FileRefused, match=sentence):
        services.import_tableau(organe, content, since=SINCE, actor=ACTOR)


# -- pages ------------------------------------------------------------------------------------------------


def _url(name, pk=None, *more):
    return reverse(f"seances:{name}", args=["juvignac", *([] if pk is None else [pk]), *more])


def test_a_secretary_starts_from_nothing(juvignac, agent_client, frozen_clock):
    frozen_clock("2019-06-01T09:00+02:00")
    secretary = agent_client(juvignac, "secretaire")
    assert "Créer une assemblée" in secretary.get(_url("list")).content.decode()
    data = {
        "name": "Conseil municipal",
        "population": "10979",
        "since": "2014-03-30",
        "chair_title": "Maire",
        "tribunal": "Montpellier",
        "number_pattern": "#AA#.#MM#.#JJ#.#00#",
        "reset_key": "#AA##MM##JJ#",
    }
    body = secretary.post(_url("new_organe"), data, follow=True).content.decode()
    assert "5 jours francs (CGCT L2121-12)" in body
    assert "33\u00a0sièges" in body
    with acting_for(juvignac):
        organe = Organe.objects.get()
    member = {
        "civility": "Mme",
        "given_name": "Zoé",
        "family_name": "Durand",
        "channel": "dematerialise",
        "email": "zoe@juvignac.test",
        "term_start": "2014-03-30",
    }
    body = secretary.post(_url("new_elu", organe.pk), member, follow=True).content.decode()
    assert "Mme Zoé DURAND" in body
    with acting_for(juvignac):
        elu = Elu.objects.get()
    body = secretary.post(
        _url("edit_elu", elu.pk), member | {"email": "zd@juvignac.test"}, follow=True
    ).content.decode()
    assert "zd@juvignac.test" in body
    ended = secretary.post(
        _url("end_term", elu.pk),
        {"on": "2019-06-10", "civility": "M.", "family_name": "Suivant", "email": "s@juvignac.test"},
        follow=True,
    ).content.decode()
    assert "M. SUIVANT" in ended
    assert "remplace Mme Zoé DURAND" in ended


def test_a_refusal_keeps_what_was_typed(organe, agent_client, juvignac):
    secretary = agent_client(juvignac, "secretaire")
    answer = secretary.post(
        _url("new_elu", organe.pk),
        {"civility": "Mme", "family_name": "Durand", "channel": "dematerialise", "term_start": "2014-03-30"},
    )
    assert answer.status_code == 422
    assert "choisissez le papier" in answer.content.decode()
    assert "Durand" in answer.content.decode()


def test_importing_and_exporting_by_the_pages(organe, agent_client, juvignac):
    secretary = agent_client(juvignac, "secretaire")
    upload = SimpleUploadedFile("tableau.csv", _file("Mme;Zoé;Durand;;;z@c.fr;;", "M.;;;;;;;"))
    page = secretary.post(_url("import_tableau", organe.pk), {"file": upload, "since": "2014-03-30"})
    assert "Rien n’a encore changé" in page.content.decode()
    assert not organe.elus.exists()
    body = secretary.post(_url("import_tableau", organe.pk), page.context["hidden"], follow=True).content.decode()
    assert "Membres ajoutés : 1 ; modifiés : 0 ; lignes refusées : 1." in body
    exported = b"".join(secretary.get(_url("export_tableau", organe.pk, "csv")).streaming_content)
    report = services.examine_tableau(organe, exported, since=SINCE, actor=ACTOR)
    assert _outcomes(report) == [(2, "same")]
    lost = secretary.post(_url("import_tableau", organe.pk), {"content": "&&&", "since": "x"}, follow=True)
    assert "déposez-le de nouveau" in lost.content.decode()


def test_a_reader_sees_the_tableau_without_the_addresses(organe, agent_client, juvignac):
    _add(organe, "Durand")
    reader = agent_client(juvignac, "lecteur")
    body = reader.get(_url("organe", organe.pk)).content.decode()
    assert "DURAND" in body
    assert "Durand@juvignac.test" not in body
    assert reader.get(_url("new_elu", organe.pk)).status_code == 403


def test_another_organisations_body_is_missing(organe, agent_client, fabregues):
    elu = _add(organe, "Durand")
    stranger = agent_client(fabregues, "secretaire")
    for name, pk in (
        ("organe", organe.pk),
        ("new_elu", organe.pk),
        ("import_tableau", organe.pk),
        ("edit_elu", elu.pk),
    ):
        assert stranger.get(reverse(f"seances:{name}", args=["fabregues", pk])).status_code == 404

"""Pages of meetings, as people read and use them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.seances import services
from parvis.edemat.seances.models import Deliberation, Point, Scrutin, Seance
from parvis.edemat.seances.services.deliberations import interrupt_establishment

from .council import ACTOR
from .test_deliberations import steps  # noqa: F401  the steps of the other services


@pytest.fixture
def prepared(council):
    return council


@pytest.fixture
def page(prepared):
    """``page(name, pk)`` -> address under Juvignac."""

    def address(name: str, pk=None) -> str:
        return reverse(f"seances:{name}", args=["juvignac"] if pk is None else ["juvignac", pk])

    return address


@pytest.fixture
def secretary(prepared, agent_client):
    prepared.freeze("2019-06-24T17:00+02:00")
    return agent_client(prepared.organisation, "secretaire")


def _form(seance, presents: int, powers: int) -> dict[str, str]:
    members = list(seance.convocations.order_by("rank"))
    data = {"from_item": "0"}
    for n, one in enumerate(members):
        state = "present" if n < presents else "pouvoir" if n < presents + powers else "absent"
        data[f"etat-{one.pk.hex}"] = state
        data[f"mandataire-{one.pk.hex}"] = str(members[n - presents].pk) if state == "pouvoir" else ""
    return data


def test_the_list_shows_coming_meetings(secretary, page):
    body = secretary.get(page("list")).content.decode()
    assert "Conseil municipal, lundi 1<sup>er</sup>\u00a0juillet 2019" in body
    assert "Prévoir une séance" in body


def test_a_reader_sees_without_acting(prepared, page, agent_client):
    reader = agent_client(prepared.organisation, "lecteur")
    body = reader.get(page("detail", prepared.seance.pk)).content.decode()
    assert "Affaire 1" in body
    assert "Convoquer…" not in body
    assert reader.post(page("convoke", prepared.seance.pk)).status_code == 403


def test_another_organisations_meeting_is_missing(prepared, fabregues, agent_client):
    stranger = agent_client(fabregues, "secretaire")
    for name in ("detail", "convoke", "evidence", "my_convocation"):
        for slug in ("juvignac", "fabregues"):
            url = reverse(f"seances:{name}", args=[slug, prepared.seance.pk])
            expected = 403 if (slug, name) == ("fabregues", "my_convocation") else 404
            assert stranger.get(url).status_code == expected, url


def test_points_and_deliberations_of_others_are_missing(prepared, fabregues, agent_client):
    stranger = agent_client(fabregues, "secretaire")
    point = prepared.seance.points.first()
    for name in ("edit_point", "attach_annexe", "vote", "postpone"):
        url = reverse(f"seances:{name}", args=["fabregues", point.pk])
        assert stranger.post(url, {}).status_code == 404


def test_planning_a_meeting(secretary, prepared, page):
    answer = secretary.post(
        page("create"),
        {
            "organe": prepared.organe.pk,
            "day": "2019-09-16",
            "hour": "18:30",
            "duration_minutes": "120",
            "place": "Salle du conseil",
            "session": "ordinaire",
        },
        follow=True,
    )
    assert "Composez maintenant son ordre du jour" in answer.content.decode()
    assert Seance.objects.filter(place="Salle du conseil").exists()


def test_a_meeting_in_the_past_is_refused_and_keeps_what_was_typed(secretary, prepared, page):
    data = {
        "organe": prepared.organe.pk,
        "day": "2019-05-01",
        "hour": "18:30",
        "duration_minutes": "120",
        "place": "Salle du bas",
        "session": "ordinaire",
        "urgency": "on",
    }
    answer = secretary.post(page("create"), data)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "choisissez une date et une heure futures" in body
    assert "L’urgence demande un motif" in body
    assert "Salle du bas" in body


def test_inscribing_changing_and_annexing_an_item(secretary, prepared, page, shared_dir):
    answer = secretary.post(page("new_point", prepared.seance.pk), {"title": "Tarifs", "nature": "1", "matiere": "7.1"})
    assert answer.status_code == 302
    point = Point.objects.get(title="Tarifs")
    secretary.post(page("edit_point", point.pk), {"title": "Tarifs 2020", "nature": "1", "matiere": "7.1"})
    assert Point.objects.get(pk=point.pk).title == "Tarifs 2020"
    sound = (shared_dir / "samples/seances/pdf/ok-5p.pdf").read_bytes()
    upload = SimpleUploadedFile("grille.pdf", sound, "application/pdf")
    secretary.post(page("attach_annexe", point.pk), {"title": "Grille", "file": upload, "to_prefecture": "on"})
    assert point.annexes.get().document.pages == 5


def test_a_title_longer_than_the_object_of_an_act_is_refused_with_the_reason(secretary, prepared, page):
    long = {"title": "é" * 500, "nature": "1", "matiere": "7.1"}
    answer = secretary.post(page("new_point", prepared.seance.pk), long)
    assert answer.status_code == 422
    assert "limité à 499 caractères ; il en compte 500" in answer.content.decode()
    assert not Point.objects.filter(title=long["title"]).exists()


def test_a_title_is_measured_as_it_is_written_for_the_ministry(secretary, prepared, page):
    growing = {"title": "œ" * 250, "nature": "1", "matiere": "7.1"}
    answer = secretary.post(page("new_point", prepared.seance.pk), growing)
    assert answer.status_code == 422
    assert "il en compte 500 une fois écrit pour le ministère" in answer.content.decode()


def test_a_place_too_long_is_never_cut_but_refused(secretary, page):
    assert "maxlength" not in secretary.get(page("create")).content.decode()
    answer = secretary.post(page("create"), {"place": "Salle " + "x" * 250})
    assert "256" in answer.context["form"].errors["place"][0]


@pytest.mark.parametrize("name", ["chiffre-mot-de-passe-utilisateur.pdf", "tronque.pdf", "renomme-pas-un-pdf.pdf"])
def test_a_bad_annex_is_refused_by_its_name(secretary, prepared, page, shared_dir, name):
    point = prepared.seance.points.first()
    content = (shared_dir / "samples/seances/pdf" / name).read_bytes()
    answer = secretary.post(
        page("attach_annexe", point.pk), {"title": "Annexe", "file": SimpleUploadedFile(name, content)}
    )
    assert answer.status_code == 422
    assert name in answer.content.decode()
    assert not point.annexes.exists()


def test_convening_in_two_clicks(secretary, prepared, page):
    shown = secretary.get(page("convoke", prepared.seance.pk)).content.decode()
    assert "29\u00a0membres sont convoqués" in shown
    assert "6\u00a0jours francs" in shown
    assert Seance.objects.get(pk=prepared.seance.pk).state == Seance.State.EN_PREPARATION
    body = secretary.post(page("convoke", prepared.seance.pk), follow=True).content.decode()
    assert "0 sur 29 convoqués" in body
    assert "Horodatage en attente" in body


def test_a_late_convocation_shows_why_and_offers_no_button(secretary, prepared, page):
    prepared.freeze("2019-06-26T09:00+02:00")
    shown = secretary.get(page("convoke", prepared.seance.pk)).content.decode()
    assert "L’envoi n’est plus régulier" in shown
    assert "Convoquer 29" not in shown
    answer = secretary.post(page("convoke", prepared.seance.pk))
    assert answer.status_code == 422
    assert "mardi 25\u00a0juin 2019" in answer.content.decode()


def test_the_member_reads_and_acknowledges(prepared, page, account_for, agent_client):
    member = agent_client(prepared.organisation, "elu")
    prepared.elus[2].account = member.account
    prepared.elus[2].save()
    prepared.convoke()
    prepared.deliver()
    url = page("my_convocation", prepared.seance.pk)
    assert "Accuser réception" in member.get(url).content.decode()
    body = member.post(url, follow=True).content.decode()
    assert "Vous avez accusé réception" in body
    assert prepared.members[2].state == "lu"
    assert prepared.members[1].read_at is None


def test_a_member_not_convened_has_no_page(prepared, page, agent_client):
    prepared.convoke()
    other = agent_client(prepared.organisation, "elu")
    assert other.get(page("my_convocation", prepared.seance.pk)).status_code == 404


def test_the_whole_meeting_by_its_page(secretary, prepared, page, steps, run_jobs):  # noqa: F811
    seance = prepared.convoke()
    prepared.deliver()
    prepared.freeze("2019-07-01T18:30+02:00")
    pk = seance.pk
    body = secretary.post(page("presences", pk), _form(seance, 18, 8), follow=True).content.decode()
    assert "18\u00a0membres en séance, quorum 15 : atteint" in body
    body = secretary.post(page("open", pk), follow=True).content.decode()
    assert "La séance est ouverte" in body
    first, second = seance.points.order_by("rank")
    secretary.post(page("vote", first.pk), {"unanimite": "1", "mode": "main_levee"})
    counts = {"pour": 20, "contre": 4, "abstention": 2, "blancs": 0, "nuls": 0, "nppv": 0}
    secretary.post(page("vote", second.pk), {"mode": "main_levee", "chair_voice": "pour", **counts})
    assert list(Scrutin.objects.order_by("point__rank").values_list("pour", "contre")) == [(26, 0), (20, 4)]
    assert "à l’unanimité" in secretary.get(page("rise", pk)).content.decode()
    secretary.post(page("rise", pk))
    body = secretary.post(page("establish", pk), follow=True).content.decode()
    assert "0 sur 2" in body
    assert "Actualiser l’avancement" in body
    run_jobs(queue="seances", may_fail=True)
    body = secretary.get(page("detail", pk)).content.decode()
    assert "Actualiser l’avancement" not in body
    assert "Délibération n° 19.07.01.01" in body
    assert "21 règles vérifiées" in body
    deliberation = Deliberation.objects.get(number="19.07.01.01")
    shown = secretary.get(page("to_signature", deliberation.pk)).content.decode()
    assert "ne pourront plus changer" in shown
    body = secretary.post(page("to_signature", deliberation.pk), follow=True).content.decode()
    assert "est au parapheur" in body
    assert Deliberation.objects.get(pk=deliberation.pk).route is not None


def test_a_wrong_count_stays_on_the_page_with_its_reason(secretary, prepared, page):
    seance = prepared.convoke()
    prepared.deliver()
    prepared.open()
    point = seance.points.get(rank=1)
    counts = {"pour": 25, "contre": 0, "abstention": 0, "blancs": 0, "nuls": 0, "nppv": 0}
    data = {"mode": "main_levee", "chair_voice": "pour", **counts}
    answer = secretary.post(page("vote", point.pk), data)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "25\u00a0voix pour 26\u00a0votants" in body
    assert 'value="25"' in body


def test_a_double_power_on_the_sheet_is_refused_and_kept(secretary, prepared, page):
    seance = prepared.convoke()
    data = _form(seance, 18, 2)
    members = prepared.members
    data[f"mandataire-{members[19].pk.hex}"] = str(members[0].pk)
    answer = secretary.post(page("presences", seance.pk), data)
    assert answer.status_code == 422
    assert "porte déjà le pouvoir de" in answer.content.decode()
    assert services.composition(seance).presents == ()


def test_the_live_quorum_records_nothing(secretary, prepared, page):
    seance = prepared.convoke()
    body = secretary.post(page("quorum", seance.pk), _form(seance, 14, 10)).content.decode()
    assert "14\u00a0membres en séance, quorum 15 : non atteint" in body
    assert not seance.mouvements.exists()


def test_opening_without_quorum_says_how_to_go_on(secretary, prepared, page):
    seance = prepared.convoke()
    prepared.seat(10)
    prepared.freeze("2019-07-01T18:30+02:00")
    answer = secretary.post(page("open", seance.pk))
    assert answer.status_code == 422
    assert "Convoquez à nouveau" in answer.content.decode()


def test_evidence_is_readable(secretary, prepared, page):
    seance = prepared.convoke()
    body = secretary.get(page("evidence", seance.pk)).content.decode()
    assert "Chaîne intacte" in body
    assert "Envoi des convocations" in body
    assert "Horodatage en attente" in body


def test_a_forged_power_is_refused_in_plain_words(secretary, prepared, page):
    seance = prepared.convoke()
    member = seance.convocations.order_by("rank").last()
    data = _form(seance, 18, 8)
    forged = "0197c0de-0000-7000-8000-000000000000"
    data |= {f"etat-{member.pk.hex}": "pouvoir", f"mandataire-{member.pk.hex}": forged}
    answer = secretary.post(page("presences", seance.pk), data)
    content = answer.content.decode()
    assert answer.status_code == 422
    assert "ne peut donner pouvoir qu’à un autre membre de la séance" in content
    assert forged not in content


def test_a_missing_token_is_asked_again_from_the_page(secretary, prepared, page, monkeypatch, run_jobs):
    from parvis.core.trust.timestamps import Token
    from parvis.edemat.seances.services import evidence

    seance = prepared.convoke()
    run_jobs(queue="seances", may_fail=True)
    body = secretary.post(page("stamp_again", seance.pk), follow=True).content.decode()
    assert "L’horodatage est demandé" in body
    assert "Horodatage en attente" in body
    made = prepared.freeze("2019-06-24T19:00+02:00")
    monkeypatch.setattr(evidence, "request_token", lambda data: Token(EMPTY_CMS, made, 7, "Autorité d’essai"))
    run_jobs(queue="seances")
    body = secretary.post(page("stamp_again", seance.pk), follow=True).content.decode()
    assert "Toutes les preuves sont horodatées" in body
    assert "Jeton non valide" in body  # what was stored is verified again, not believed


# A well-formed CMS SignedData without a signer: enough to be kept, and to be found invalid.
EMPTY_CMS = bytes.fromhex("302306092a864886f70d010702a01630140201033100300b06092a864886f70d0107013100")


def test_what_people_type_is_shown_as_text(secretary, prepared, page):
    point = prepared.seance.points.first()
    Point.objects.filter(pk=point.pk).update(title="L’école & l'été <em>")
    for name, pk in (("edit_point", point.pk), ("detail", prepared.seance.pk)):
        body = secretary.get(page(name, pk)).content.decode()
        assert "<em>" not in body
        assert "&amp;amp;" not in body
        assert "&amp;#x27;" not in body


def test_a_resend_with_a_bad_address_changes_nothing(secretary, prepared, page):
    prepared.convoke()
    member = prepared.members[0]
    prepared.seance.convocations.filter(pk=member.pk).update(state="rebond")
    answer = secretary.post(page("resend", member.pk), {"address": "pas une adresse"})
    assert answer.status_code == 422
    assert prepared.members[0].address == member.address


def test_pages_carry_no_inline_style_or_script(secretary, prepared, page):
    seance = prepared.convoke()
    for url in (page("list"), page("detail", seance.pk), page("evidence", seance.pk), page("create")):
        body = secretary.get(url).content.decode()
        assert 'style="' not in body
        assert "<script>" not in body
        assert " onclick=" not in body


def test_the_page_of_a_meeting_asks_a_bounded_number_of_queries(
    secretary, prepared, page, django_assert_max_num_queries
):
    prepared.convoke()
    prepared.deliver()
    prepared.open()
    secretary.get(page("detail", prepared.seance.pk))
    with django_assert_max_num_queries(45):
        secretary.get(page("detail", prepared.seance.pk))


def test_two_organisations_hold_meetings_side_by_side(juvignac, fabregues, make_council):
    with acting_for(juvignac):
        make_council(juvignac, size=3)
    with acting_for(fabregues):
        make_council(fabregues, size=3)
        assert Seance.objects.count() == 1
        assert ACTOR.kind == "system"


def test_nothing_is_said_established_before_the_end_of_the_meeting(prepared, secretary, page):
    response = secretary.post(page("establish", prepared.seance.pk))
    body = response.content.decode()
    assert response.status_code == 422
    assert "cette action demande" in body
    assert "L’établissement des délibérations est demandé" not in body


@pytest.fixture
def asked(secretary, prepared, page):
    prepared.convoke()
    prepared.deliver()
    prepared.open()
    prepared.rise()
    secretary.post(page("establish", prepared.seance.pk))
    return prepared


def test_the_progress_asks_for_the_whole_page_once_the_work_is_done(secretary, asked, page, run_jobs):
    box = secretary.get(page("progress", asked.seance.pk))
    assert "0 sur 2" in box.content.decode()
    run_jobs(queue="seances", may_fail=True)
    assert secretary.get(page("progress", asked.seance.pk))["HX-Refresh"] == "true"


def test_an_establishment_given_up_is_said_and_asked_again(secretary, asked, page):
    for one in Deliberation.objects.all():
        interrupt_establishment(one.pk)
    body = secretary.get(page("detail", asked.seance.pk)).content.decode()
    assert "2\u00a0délibérations n’ont pas pu être établies" in body
    body = secretary.post(page("establish", asked.seance.pk), follow=True).content.decode()
    assert "0 sur 2" in body

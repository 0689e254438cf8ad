"""Each component, rendered from a template as a page would write it."""

from datetime import date

import pytest
from django import forms
from django.template import engines
from django_cotton.compiler_regex import CottonCompiler
from lxml import html


def draw(source: str, request=None, **context):
    text = engines["django"].from_string(CottonCompiler().process(source)).render(context, request)
    return html.fromstring(f"<div>{text}</div>")


def words(element) -> str:
    return " ".join(element.text_content().split())


def test_header_escapes_its_title_and_raises_the_ordinal():
    page = draw('<c-page-header :title="title" subtitle="Séance du 1er juillet" />', title="Avenue <Clemenceau>")
    assert words(page.find(".//h1")) == "Avenue <Clemenceau>"
    assert page.find(".//sup").text == "er"


def test_route_says_each_state_in_words():
    steps = [{"label": x, "state": x} for x in ("done", "current", "failed", "waiting", "dropped")]
    page = draw('<c-cheminement :steps="steps" />', steps=steps)
    items = page.findall(".//li")
    assert [words(i.find("span[@class='route-label']")) for i in items] == [
        "done : fait",
        "current : étape en cours",
        "failed : en échec",
        "waiting : à venir",
        "dropped : sans suite",
    ]
    assert [i.get("aria-current") for i in items] == [None, "step", None, None, None]


def test_route_marks_only_reached_steps_with_a_time(frozen_clock):
    from datetime import UTC, datetime

    frozen_clock("2019-07-10T10:00+02:00")
    steps = [
        {
            "label": "Signée",
            "state": "done",
            "ended_at": datetime(2019, 7, 2, 7, 12, tzinfo=UTC),
            "summary": "par le maire",
        }
    ]
    page = draw('<c-cheminement :steps="steps" />', steps=steps)
    assert page.find(".//time").get("datetime") == "2019-07-02T07:12:00+00:00"
    assert "2 juil. 9 h 12" in words(page)
    assert "par le maire" in words(page)


def test_deadline_shows_its_rule_and_its_full_date(frozen_clock):
    frozen_clock("2019-06-20T10:00+02:00")
    page = draw('<c-deadline :date="d" rule="Dernier jour d’envoi régulier" />', d=date(2019, 6, 25))
    assert words(page) == "5 jours Dernier jour d’envoi régulier"
    assert page.find(".//time").get("title").startswith("mardi 25")


def test_no_deadline_draws_nothing():
    assert words(draw('avant <c-deadline :date="d" rule="x" /> après', d=None)) == "avant après"


def test_document_shows_type_size_signature_and_its_fingerprint_on_demand():
    class Document:
        filename, media_type, format_name, puid = "d.pdf", "application/pdf", "Acrobat PDF/A", "fmt/479"
        size, pages, sha256 = 184_320, 4, "ab" * 32

    page = draw(
        '<c-document-card :document="d" label="Délibération" href="/x" signature="signature valide" />',
        d=Document(),
    )
    assert page.find(".//a").get("href") == "/x"
    assert "PDF/A 4 p. 184 ko signature valide" in words(page)
    assert page.find(".//details").find("code").text == "ab" * 32
    assert "open" not in page.find(".//details").attrib


@pytest.mark.django_db
def test_timeline_names_people_of_journal_entries(acting_for_juvignac, account_for):
    from parvis.core.journal.models import Entry
    from parvis.core.journal.services import Actor, record

    account = account_for(acting_for_juvignac, "maire", given_name="Alix", family_name="Exemple")
    record(acting_for_juvignac, "mandat.ouvert", subject=("mandat", 1), actor=Actor("account", str(account.pk)))
    record(acting_for_juvignac, "journal.scelle", subject=("journal", 1), actor=Actor("job", "journal"))
    page = draw('<c-timeline :entries="entries" />', entries=Entry.objects.select_related("organisation"))
    assert [words(x) for x in page.findall(".//span[@class='timeline-who']")] == [
        "Alix Exemple",
        "Traitement automatique",
    ]
    assert page.find(".//a").get("href").startswith("/o/juvignac/journal/")


def test_table_headers_tell_how_it_is_sorted(rf):
    columns = [
        {"label": "Numéro", "key": "numero"},
        {"label": "Objet", "key": "objet"},
        {"label": "Gestes", "hidden": True},
    ]
    page = draw(
        '<c-data-table caption="Actes" :columns="columns" sort="-numero" next="?apres=z">'
        "<tr><td>1</td></tr></c-data-table>",
        rf.get("/?q=pont&apres=y"),
        columns=columns,
    )
    heads = page.findall(".//th")
    assert [h.get("aria-sort") for h in heads] == ["descending", None, None]
    assert all(h.get("scope") == "col" for h in heads)
    assert heads[1].find("a").get("href") == "?q=pont&tri=objet"
    assert words(page.find(".//caption")) == "Actes"
    assert [a.get("rel") for a in page.findall(".//nav/a")] == ["next"]


class Sample(forms.Form):
    objet = forms.CharField(label="Objet", help_text="Sans abréviation.")
    mode = forms.ChoiceField(label="Mode", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    accord = forms.BooleanField(label="J’ai relu", required=False)


def test_field_ties_its_help_and_its_error_to_the_control():
    page = draw('<c-form-field :field="form.objet" />', form=Sample({"objet": ""}))
    control = page.find(".//input")
    assert control.get("aria-invalid") == "true"
    described = control.get("aria-describedby").split()
    assert [words(page.get_element_by_id(i)) for i in described] == [
        "Sans abréviation.",
        "Ce champ est obligatoire.",
    ]
    assert page.find(".//label").get("for") == control.get("id")


def test_group_of_choices_has_a_legend():
    page = draw('<c-form-field :field="form.mode" />', form=Sample())
    assert words(page.find(".//fieldset/legend")) == "Mode"


def test_check_box_has_its_label_after_it():
    page = draw('<c-form-field :field="form.accord" />', form=Sample())
    box = page.find(".//div[@class='field-check']")
    assert [child.tag for child in box] == ["input", "label"]


def test_summary_of_errors_leads_to_each_field():
    page = draw('<c-form-errors :form="form" />', form=Sample({"objet": "", "mode": ""}))
    assert [a.get("href") for a in page.findall(".//li/a")] == ["#id_objet", "#id_mode"]


def test_confirmation_works_without_javascript(rf):
    page = draw(
        '<c-confirm title="L’acte part" text="Sans retour." verb="Transmettre à la préfecture" cancel="/" />',
        rf.get("/"),
    )
    form = page.find(".//form")
    assert form.get("method") == "post"
    assert form.find("input").get("name") == "csrfmiddlewaretoken"
    assert words(form.find(".//button")) == "Transmettre à la préfecture"


def test_progress_goes_on_by_itself_and_without_javascript(rf):
    page = draw('<c-progress label="Versement" :done="2" :total="8" url="/avancement" />', rf.get("/page"))
    assert page.find(".//progress").get("value") == "2"
    assert page.find(".//div[@hx-get='/avancement']") is not None
    assert page.find(".//noscript//a").get("href") == "/page"


def test_finished_progress_asks_no_more(rf):
    page = draw(
        '<c-progress label="Versement" :done="8" :total="8" url="/avancement" finished="1" />',
        rf.get("/page"),
    )
    assert page.find(".//progress").get("value") == "8"
    assert "hx-get" not in html.tostring(page, encoding="unicode")


def test_checks_that_passed_are_folded_and_faults_come_first():
    checks = [{"ok": True, "severity": "bloquant", "sentence": f"Règle {n}."} for n in range(5)]
    checks += [{"ok": False, "severity": s, "sentence": s} for s in ("avertissement", "bloquant")]
    page = draw('<c-checks :checks="checks" />', checks=checks)
    assert [words(li) for li in page.findall("./ul/li")] == [
        "Bloquant : bloquant",
        "À vérifier : avertissement",
    ]
    assert words(page.find(".//details/summary")) == "5 règles respectées"
    assert len(page.findall(".//details//li")) == 5
    assert draw('<c-checks :checks="checks" all="oui" />', checks=checks).find(".//details") is None

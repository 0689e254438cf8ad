"""``bin/demo``: sets the stage, lives the story, shows the evidence, then serves Parvis."""

import argparse
import os
import shlex
import signal
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from parvis_demo import story
from parvis_demo.stage import PROJECT, Stage, port_is_free, serve, set_clock, stage

if TYPE_CHECKING:
    from parvis_demo.chain import Chain

VERDICTS = {
    "TOTAL_PASSED": "signature valide",
    "INDETERMINATE": "signature de validité indéterminée",
    "TOTAL_FAILED": "signature non valide",
}
"""Words for the three outcomes of EN 319 102-1 §5.1.3."""

SIGNATORY = ("Alix Exemple", "Commune de Juvignac", "213401235")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/demo", description="Une délibération, de la convocation à l’open data.")
    parser.add_argument("--once", action="store_true", help="vivre la chaîne sur une base neuve, puis s’arrêter")
    parser.add_argument("--date", choices=["today"], help="aux dates d’aujourd’hui au lieu de celles de 2019")
    parser.add_argument(
        "--by-hand",
        action="store_true",
        help="poser la séance seulement ; la suite se fait dans le navigateur, à la date donnée par --clock",
    )
    parser.add_argument(
        "--clock", type=datetime.fromisoformat, metavar="AAAA-MM-JJTHH:MM", help="régler l’horloge de la démo en cours"
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--folder", type=Path, default=PROJECT / "var" / "demo")
    options = parser.parse_args()
    if options.clock:
        set_clock(options.folder / "clock.json", options.clock.replace(tzinfo=story.PARIS))
        return 0
    if not options.once and not port_is_free(options.port):
        sentence = f"Le port {options.port} est déjà pris : arrêtez l’autre programme ou choisissez --port N."
        print(sentence, file=sys.stderr)
        return 1
    calendar = story.calendar_ending_on(datetime.now(story.PARIS).date()) if options.date else story.Calendar()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(0))

    began = time.monotonic()
    print("\nParvis, démonstration : données publiques, personnes inventées, aucune valeur légale.\n", flush=True)
    # The web server and the messages it sends must agree on the address.
    os.environ["PARVIS_BASE_URL"] = f"http://localhost:{options.port}"
    with stage(options.folder.resolve(), [SIGNATORY], keep_database=not options.once) as the_stage:
        import django

        os.environ["DJANGO_SETTINGS_MODULE"] = "parvis.config.settings"
        django.setup()
        if options.by_hand:
            prepare(the_stage, calendar)
            print(f"La séance est posée ; l’horloge est au {calendar.preparation:%d/%m/%Y}.", flush=True)
            return attend(the_stage, options.port)
        live(the_stage, calendar)
        print(f"\nLa chaîne est complète en {time.monotonic() - began:.0f} secondes.")
        print(f"Les preuves : {the_stage.evidence}\n", flush=True)
        if options.once:
            return 0
        return attend(the_stage, options.port)


def attend(the_stage: Stage, port: int) -> int:
    """Serve until interrupted."""
    serve(the_stage.watch, port)
    try:
        invite(the_stage, port)
        signal.pause()
    except KeyboardInterrupt:
        pass
    return 0


def prepare(the_stage: Stage, calendar: story.Calendar) -> "Chain":
    """Install the people and lay the meeting with its agenda."""
    from parvis_demo.chain import Chain
    from parvis_demo.people import install

    the_stage.set_clock(calendar.preparation)
    organisation, people = install(the_stage, calendar)
    chain = Chain(the_stage, organisation, people, calendar)
    chain.prepare()
    chain.wait_classification()
    return chain


def live(the_stage: Stage, calendar: story.Calendar) -> None:
    """Run every step, print it with its evidence, and write summary.json."""
    from parvis_demo.evidence import Story, copy_archive_storage, copy_pki, export_journal, sha256_of

    told = Story(the_stage.evidence)
    copy_pki(the_stage, the_stage.evidence)

    def tell(name: str, sentence: str, started: datetime, files: list[Path], **identifiers: object) -> None:
        told.step(name, started, datetime.now().astimezone(), files, **identifiers)
        print(f"  ✓ {sentence}")
        for path in files:
            print(f"      {path.name:<44} sha256 {sha256_of(path)[:16]}…")
        sys.stdout.flush()

    def begin() -> datetime:
        return datetime.now().astimezone()

    from parvis.core.web.templatetags.parvis import date_longue

    start = begin()
    chain = prepare(the_stage, calendar)
    organisation = chain.organisation
    seance = chain.convoke()
    tell("convocation", f"Convoquée le {date_longue(calendar.convocation)}, 29 élus, preuve horodatée", start, [])

    start = begin()
    deliberation = chain.hold(seance)
    route = chain.send_to_signature(deliberation)
    files = told.collect(
        organisation, route, "convocation", "convocation_ics", "convocation_preuve", "convocation_jeton"
    )
    facts = chain.facts(route)
    remarks = [c["sentence"] for c in facts["controles"] if not c["ok"]]
    tell("seance", f"Votée le {date_longue(calendar.meeting)} : {facts['vote']['pour']} pour", start, files,
         numero=deliberation.number, presents=facts["vote"]["presents"], votants=facts["vote"]["votants"])  # fmt: skip
    for remark in remarks:
        print(f"      remarque : {remark}")

    start = begin()
    chain.sign(route)
    files = told.collect(organisation, route, "signe", "rapport_validation")
    verdict = chain.facts(route)["signature"]["verdict"]
    tell("signature", f"Signée par {SIGNATORY[0]} : {VERDICTS.get(verdict, verdict)}", start, files)

    start = begin()
    acte = chain.transmit(route)
    files = told.collect(organisation, route, "enveloppe", "acte_xml", "ar", "tamponne", "bordereau")
    tell("transmission", f"Transmise et acquittée : {acte.unique_id}", start, files,
         id_acte=acte.unique_id, date_reception=chain.facts(route)["ar"]["date_reception"])  # fmt: skip

    start = begin()
    chain.publish(acte, route)
    files = told.collect(organisation, route, "tamponne", "certificat_executoire")
    publication = chain.facts(route)["publication"]
    tell("publication", f"Publiée, exécutoire le {date_longue(date.fromisoformat(publication['executoire']))}", start,
         files, **publication)  # fmt: skip

    start = begin()
    chain.archive(route)
    files = told.collect(organisation, route, "transfer", "sip", "atr")
    copy_archive_storage(the_stage.evidence)
    tell("archive", "Archivée : deux copies relues, ATR 000", start, files, **chain.facts(route)["archive"])

    start = begin()
    chain.open_data(route)
    from parvis.core.organisations.tenancy import public_view_of
    from parvis.opendata.models import Dataset
    from parvis.opendata.services import write_csv

    table = the_stage.evidence / "deliberations.csv"
    with public_view_of(organisation), table.open("wb") as stream:
        write_csv(Dataset.objects.get(slug="deliberations"), stream)
    tell("opendata", "Ouverte : une ligne de plus au jeu « délibérations » (SCDL 2.1.5)", start, [table])

    start = begin()
    target = export_journal(organisation, the_stage.evidence, [("route", route.pk), ("acte", acte.pk)])
    files = sorted(path for path in target.iterdir() if path.is_file())
    tell("journal", f"Journal scellé et exporté : {target.name}/", start, files)
    told.write_summary(
        collectivite=organisation.name,
        deliberation=deliberation.number,
        id_acte=acte.unique_id,
        executoire=publication["executoire"],
        controles=facts["controles"],
        horloge="simulée : les étapes sont vécues aux dates de la délibération",
        valeur="aucune : certificats, horodatage et préfecture du bac à sable",
    )


def invite(the_stage: Stage, port: int) -> None:
    """Print where to go and with which account."""
    from parvis.core import clock
    from parvis.core.web.templatetags.parvis import date_longue

    address = f"http://localhost:{port}"
    print(f"Ouvrez {address}\n")
    print(f"  L’horloge est simulée : nous sommes le {date_longue(clock.today())} (pour en changer : bin/demo --clock)")
    print(f"  Mot de passe de tous les comptes fictifs : {story.PASSWORD}")
    print(f"  Second facteur : clé TOTP {story.TOTP_SECRET} (application d’authentification)\n")
    for person in story.PEOPLE:
        print(f"  {person.email:<34} {person.title}")
    print(f"\n  Page publique des actes  {address}/p/juvignac/actes/")
    print(f"  Données ouvertes         {address}/p/juvignac/donnees/deliberations/")
    print(f"  Boîte aux lettres        {the_stage.facts['inbox_url']}")
    print(
        "\n  Exploitants de la plateforme : aucun compte n’est prêt, car ils n’entrent que par une clé d’accès\n"
        "  (passkey), que seul votre navigateur peut créer. Pour en avoir un, tapez dans un autre terminal :\n\n"
        f"cd {shlex.quote(str(PROJECT))} && {the_stage.command('name_operator', *story.OPERATOR)}\n\n"
        f"  puis, sur {address}/compte/login/, « Mot de passe oublié » pour {story.OPERATOR[0]} ; le lien arrive\n"
        f"  dans la boîte aux lettres. Une fois connecté, {address}/plateforme/ demande d’ajouter la clé d’accès."
    )
    print("\nCtrl-C pour arrêter.", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Organisations, their subscriptions, and the functions that row-security policies call."""

import django.db.models.deletion
import parvis.core.organisations.models
from django.db import migrations, models


SETTINGS_READERS = """
CREATE FUNCTION parvis_organisations() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT string_to_array(nullif(current_setting('parvis.organisations', true), ''), ',')::bigint[] $$;
CREATE FUNCTION parvis_public_organisation() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('parvis.public_organisation', true), '')::bigint $$;
CREATE FUNCTION parvis_account() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('parvis.account', true), '')::bigint $$;
"""
FORGET = """
DROP FUNCTION parvis_account();
DROP FUNCTION parvis_public_organisation();
DROP FUNCTION parvis_organisations();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunSQL(SETTINGS_READERS, FORGET),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True, verbose_name="identifiant d’adresse")),
                ("name", models.CharField(max_length=200, verbose_name="nom officiel")),
                ("short_name", models.CharField(max_length=80, verbose_name="nom d’usage")),
                (
                    "kind",
                    models.CharField(
                        choices=[("metropole", "Métropole"), ("commune", "Commune"), ("ccas", "CCAS")],
                        max_length=12,
                        verbose_name="nature juridique",
                    ),
                ),
                (
                    "siren",
                    models.CharField(
                        max_length=9,
                        unique=True,
                        validators=[parvis.core.organisations.models.validate_siren],
                        verbose_name="SIREN",
                    ),
                ),
                ("nic", models.CharField(default="00014", max_length=5, verbose_name="NIC du siège")),
                ("insee", models.CharField(blank=True, max_length=5, verbose_name="code INSEE")),
                ("postal_code", models.CharField(blank=True, max_length=5, verbose_name="code postal")),
                (
                    "population",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="population municipale"),
                ),
                ("departement", models.CharField(max_length=3, verbose_name="département (3 caractères)")),
                ("arrondissement", models.CharField(max_length=1, verbose_name="arrondissement")),
                ("nature_actes", models.CharField(max_length=2, verbose_name="nature de collectivité pour @CTES")),
                ("pref_id", models.CharField(max_length=10, verbose_name="préfecture destinataire")),
                (
                    "accent",
                    models.CharField(
                        default="#2f4b7c",
                        max_length=7,
                        validators=[parvis.core.organisations.models.validate_colour],
                        verbose_name="couleur principale",
                    ),
                ),
                (
                    "accent_2",
                    models.CharField(
                        default="#d9a441",
                        max_length=7,
                        validators=[parvis.core.organisations.models.validate_colour],
                        verbose_name="couleur secondaire",
                    ),
                ),
                ("welcome_text", models.TextField(blank=True, verbose_name="mot d’accueil")),
                ("email_sender", models.EmailField(blank=True, max_length=254, verbose_name="adresse d’expédition")),
                ("website", models.URLField(blank=True, verbose_name="site internet")),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="organisations.organisation",
                        verbose_name="rattachée à",
                    ),
                ),
            ],
            options={
                "verbose_name": "organisation",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("siren__regex", "^[0-9]{9}$")), name="organisation_siren_shape"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("departement__regex", "^[0-9][0-9AB][0-9]$")),
                        name="organisation_departement_shape",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "application",
                    models.CharField(
                        choices=[
                            ("edemat", "Administration électronique"),
                            ("eservices", "Services en ligne"),
                            ("marches", "Marchés publics"),
                            ("opendata", "Données ouvertes"),
                        ],
                        max_length=12,
                        verbose_name="application",
                    ),
                ),
                ("since", models.DateField(verbose_name="depuis le")),
                ("until", models.DateField(blank=True, null=True, verbose_name="jusqu’au")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "adhésion",
                "ordering": ["organisation", "application"],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "application", "since"), name="subscription_once"),
                    models.CheckConstraint(
                        condition=models.Q(("until__isnull", True), ("until__gte", models.F("since")), _connector="OR"),
                        name="subscription_dates",
                    ),
                ],
            },
        ),
    ]

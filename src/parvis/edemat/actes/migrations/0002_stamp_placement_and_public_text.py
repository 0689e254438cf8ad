import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Where each organisation wants its stamp, and what the public may search and download."""

    dependencies = [
        ("actes", "0001_initial"),
        ("documents", "0001_initial"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="actesettings",
            name="stamp_pages",
            field=models.CharField(
                choices=[("all", "Toutes"), ("first", "La première")],
                default="all",
                max_length=5,
                verbose_name="pages tamponnées",
            ),
        ),
        migrations.AddField(
            model_name="actesettings",
            name="stamp_x_percent",
            field=models.FloatField(default=1.7, verbose_name="tampon : distance du bord gauche, en %"),
        ),
        migrations.AddField(
            model_name="actesettings",
            name="stamp_y_percent",
            field=models.FloatField(default=1.2, verbose_name="tampon : distance du haut, en %"),
        ),
        migrations.AddConstraint(
            model_name="actesettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("stamp_x_percent__range", (0, 100)), ("stamp_y_percent__range", (0, 100))),
                name="acte_settings_stamp_on_the_page",
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="vote",
            field=models.CharField(
                blank=True, help_text="« adoptée à l’unanimité », par exemple.", max_length=120, verbose_name="vote"
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="stamped",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="documents.document",
                verbose_name="acte tamponné",
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="annexes",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Liste de {document, name, size, sha256}.",
                verbose_name="annexes publiées",
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="text",
            field=models.TextField(
                blank=True, help_text="Extrait du PDF, pour la recherche.", verbose_name="texte de l’acte"
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="search",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.contrib.postgres.search.SearchVector(
                    "numero", "objet", "matiere_label", "text", config="french"
                ),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
    ]

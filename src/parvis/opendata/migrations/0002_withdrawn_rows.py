from django.db import migrations, models

POLICY = (
    "ALTER POLICY public_reading ON opendata_deliberationrow"
    " USING (organisation_id = parvis_public_organisation() AND ({when}))"
)
ONLINE = "dataset_id IN (SELECT id FROM opendata_dataset WHERE public)"


class Migration(migrations.Migration):
    dependencies = [("opendata", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="deliberationrow",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="retirée le"),
        ),
        migrations.RunSQL(
            POLICY.format(when=f"withdrawn_at IS NULL AND {ONLINE}"),
            POLICY.format(when=ONLINE),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0002_people")]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="look",
            field=models.JSONField(blank=True, default=dict, editable=False, verbose_name="charte publiée"),
        ),
    ]

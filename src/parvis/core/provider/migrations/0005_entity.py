"""The entity for which a person logs in on a site."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('entities', '0001_initial'),
        ('provider', '0004_logos'),
    ]

    operations = [
        migrations.AddField(
            model_name='grant',
            name='entity',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='entities.entityrole'),
        ),
    ]

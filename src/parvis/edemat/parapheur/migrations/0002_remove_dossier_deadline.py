"""The delay of a dossier is that of its open step: one deadline, and no other beside it."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('parapheur', '0001_initial'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='dossier',
            name='deadline',
        ),
    ]

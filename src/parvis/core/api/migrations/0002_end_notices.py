"""Notices given to the contacts of API accounts before an end."""

import django.db.models.deletion
import parvis.core.ids
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0001_initial'),
        ('organisations', '0004_restored_administration'),
    ]

    operations = [
        migrations.CreateModel(
            name='EndNotice',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('what', models.CharField(choices=[('account', 'le compte'), ('secret', 'l’ancien secret'), ('certificate', 'le certificat')], max_length=11, verbose_name='ce qui prend fin')),
                ('ends_at', models.DateTimeField(verbose_name='fin')),
                ('days', models.PositiveSmallIntegerField(verbose_name='préavis, en jours')),
                ('noted_at', models.DateTimeField(verbose_name='annoncée le')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='end_notices', to='api.apiaccount')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'annonce d’une échéance',
                'constraints': [models.UniqueConstraint(fields=('account', 'what', 'ends_at', 'days'), name='endnotice_once')],
            },
        ),
        EnableRowSecurity("api", "endnotice"),
    ]

"""Host names and announcements. What the métropole announces everywhere is read on every home and desk."""

import django.core.validators
import django.db.models.deletion
import parvis.core.ids
import parvis.core.portal.models
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0002_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('title', models.CharField(max_length=120, verbose_name='titre')),
                ('text', models.TextField(blank=True, max_length=1000, validators=[django.core.validators.MaxLengthValidator(1000)], verbose_name='texte')),
                ('audience', models.CharField(choices=[('public', 'Tout le monde'), ('agents', 'Agents et élus')], default='public', max_length=10, verbose_name='pour')),
                ('level', models.CharField(choices=[('attention', 'Attention'), ('information', 'Information')], default='information', max_length=12, verbose_name='niveau')),
                ('everywhere', models.BooleanField(default=False, verbose_name='sur les pages de toutes les organisations')),
                ('since', models.DateField(verbose_name='du')),
                ('until', models.DateField(blank=True, null=True, verbose_name='au')),
                ('created_at', models.DateTimeField(verbose_name='rédigée le')),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='retirée le')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'annonce',
                'indexes': [models.Index(fields=['organisation', '-created_at', '-id'], name='announcement_recent'), models.Index(condition=models.Q(('everywhere', True)), fields=['everywhere'], name='announcement_everywhere')],
                'constraints': [models.CheckConstraint(condition=models.Q(('until__isnull', True), ('until__gte', models.F('since')), _connector='OR'), name='announcement_dates')],
            },
        ),
        migrations.CreateModel(
            name='HostName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('host', models.CharField(max_length=253, unique=True, validators=[parvis.core.portal.models.validate_host], verbose_name='nom de domaine')),
                ('primary', models.BooleanField(default=False, verbose_name='adresse principale')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='ajouté le')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hosts', to='organisations.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'nom de domaine',
                'ordering': ['host'],
                'constraints': [models.CheckConstraint(condition=models.Q(('host__regex', '^[a-z0-9.-]{4,253}$')), name='hostname_shape'), models.UniqueConstraint(condition=models.Q(('primary', True)), fields=('organisation',), name='hostname_one_primary')],
            },
        ),
        EnableRowSecurity(
            "portal",
            "announcement",
            public_when="audience = 'public' AND withdrawn_at IS NULL",
            also_when=(
                "everywhere AND withdrawn_at IS NULL"
                " AND (audience = 'public' OR cardinality(parvis_organisations()) > 0)"
            ),
        ),
    ]

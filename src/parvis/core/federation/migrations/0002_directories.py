"""Directories of organisations under their row security: those in service are read by the login, a domain by who types it."""

import django.db.models.deletion
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity

IN_SERVICE_OR_OPERATOR = (
    "state = 'en_service' OR EXISTS (SELECT FROM identity_account AS reader"
    " WHERE reader.id = parvis_account() AND reader.is_platform_administrator)"
)
JUST_TYPED = "domain = current_setting('parvis.directory_domain', true)"
OWN = "account_id = parvis_account()"


class Migration(migrations.Migration):

    dependencies = [
        ('federation', '0001_identities'),
        ('organisations', '0005_login_rules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Directory',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('propose', 'proposé'), ('en_service', 'en service'), ('refuse', 'refusé'), ('suspendu', 'suspendu')], default='propose', max_length=12, verbose_name='état')),
                ('proposal', models.JSONField(editable=False, null=True, verbose_name='modification proposée')),
                ('refusal', models.CharField(blank=True, max_length=300, verbose_name='motif du refus')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='proposé le')),
                ('approved_at', models.DateTimeField(null=True, verbose_name='mis en service le')),
                ('last_used_at', models.DateTimeField(null=True, verbose_name='dernière utilisation')),
                ('issuer', models.CharField(max_length=200, verbose_name='émetteur')),
                ('client_id', models.CharField(max_length=200, verbose_name='identifiant de la plateforme')),
                ('secret', models.TextField(editable=False, verbose_name='secret de la plateforme')),
                ('algorithm', models.CharField(max_length=5, verbose_name='algorithme')),
                ('domains', models.JSONField(default=list, verbose_name='domaines de messagerie')),
                ('claims', models.JSONField(default=dict, verbose_name='attributs')),
                ('factor_claim', models.CharField(blank=True, choices=[('acr', 'acr (niveau de la connexion)'), ('amr', 'amr (moyens employés)')], max_length=3, verbose_name='attribut du second facteur')),
                ('factor_value', models.CharField(blank=True, max_length=120, verbose_name='valeur du second facteur')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'annuaire des agents',
            },
        ),
        migrations.CreateModel(
            name='DirectoryAgent',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=255, verbose_name='identifiant dans l’annuaire')),
                ('first_at', models.DateTimeField(verbose_name='première connexion')),
                ('used_at', models.DateTimeField(verbose_name='dernière connexion')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('directory', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='federation.directory')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'agent d’un annuaire',
            },
        ),
        migrations.CreateModel(
            name='DirectoryDomain',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('domain', models.CharField(max_length=190, unique=True, verbose_name='domaine')),
                ('directory', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='federation.directory')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'domaine d’un annuaire',
            },
        ),
        migrations.AddConstraint(
            model_name='directory',
            constraint=models.UniqueConstraint(fields=('organisation',), name='directory_one_by_organisation'),
        ),
        migrations.AddConstraint(
            model_name='directory',
            constraint=models.UniqueConstraint(condition=models.Q(('approved_at__isnull', False)), fields=('issuer',), name='directory_issuer_once'),
        ),
        migrations.AddConstraint(
            model_name='directoryagent',
            constraint=models.UniqueConstraint(fields=('directory', 'subject'), name='directoryagent_subject'),
        ),
        migrations.AddConstraint(
            model_name='directoryagent',
            constraint=models.UniqueConstraint(fields=('directory', 'account'), name='directoryagent_account'),
        ),
        EnableRowSecurity("federation", "directory", also_when=IN_SERVICE_OR_OPERATOR),
        EnableRowSecurity("federation", "directorydomain", also_when=JUST_TYPED),
        EnableRowSecurity("federation", "directoryagent", also_when=OWN),
    ]

"""Identities of providers, under account security; agents' requests and domains, under the organisation's."""

import django.db.models.deletion
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableAccountSecurity, EnableRowSecurity

# Before anybody is logged in, the row of the identity just verified is shown, and no other.
JUST_VERIFIED = "(issuer || ' ' || subject) = current_setting('parvis.federated_identity', true)"


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('identity', '0002_accounts'),
        ('organisations', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PivotKey',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('digest', models.CharField(db_index=True, max_length=64)),
            ],
            options={
                'verbose_name': 'empreinte d’identité pivot',
            },
        ),
        migrations.CreateModel(
            name='IdentityChange',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(choices=[('franceconnect', 'FranceConnect'), ('proconnect', 'ProConnect')], max_length=15)),
                ('at', models.DateTimeField()),
                ('changes', models.JSONField()),
                ('account', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'changement d’identité',
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='ActivationRequest',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('issuer', models.CharField(max_length=200)),
                ('subject', models.CharField(max_length=255)),
                ('given_name', models.CharField(max_length=160, verbose_name='prénom')),
                ('usual_name', models.CharField(max_length=160, verbose_name='nom')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='adresse indiquée par ProConnect')),
                ('uid', models.CharField(blank=True, max_length=120, verbose_name='identifiant')),
                ('siret', models.CharField(max_length=14, verbose_name='SIRET')),
                ('idp_id', models.CharField(blank=True, max_length=120, verbose_name='fournisseur d’identité')),
                ('asked_at', models.DateTimeField(verbose_name='demandé le')),
                ('state', models.CharField(choices=[('waiting', 'À traiter'), ('approved', 'Acceptée, à confirmer par l’agent'), ('linked', 'Reliée'), ('refused', 'Refusée')], default='waiting', max_length=10, verbose_name='état')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='décidé le')),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'demande d’activation',
                'ordering': ['asked_at'],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'issuer', 'subject'), name='activationrequest_once')],
            },
        ),
        migrations.CreateModel(
            name='DeclaredDomain',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('domain', models.CharField(max_length=190, verbose_name='domaine')),
                ('declared_at', models.DateTimeField(verbose_name='déclaré le')),
                ('declared_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'domaine de messagerie',
                'ordering': ['domain'],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'domain'), name='declareddomain_once')],
            },
        ),
        migrations.CreateModel(
            name='FederatedIdentity',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(choices=[('franceconnect', 'FranceConnect'), ('proconnect', 'ProConnect')], max_length=15)),
                ('issuer', models.CharField(max_length=200)),
                ('subject', models.CharField(max_length=255)),
                ('told', models.JSONField(default=dict)),
                ('linked_at', models.DateTimeField(verbose_name='relié le')),
                ('used_at', models.DateTimeField(verbose_name='dernière connexion')),
                ('account', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'identité fédérée',
                'verbose_name_plural': 'identités fédérées',
                'constraints': [models.UniqueConstraint(fields=('issuer', 'subject'), name='federatedidentity_subject'), models.UniqueConstraint(fields=('account', 'provider'), name='federatedidentity_account')],
            },
        ),
        EnableAccountSecurity("federation", "federatedidentity", or_when=JUST_VERIFIED),
        EnableAccountSecurity("federation", "identitychange"),
        EnableRowSecurity("federation", "activationrequest"),
        EnableRowSecurity("federation", "declareddomain"),
    ]

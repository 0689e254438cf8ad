"""What each person is in companies and associations: rows that only their holder sees."""

import django.db.models.deletion
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableAccountSecurity


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('identity', '0002_accounts'),
        ('organisations', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EntityRole',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=14, verbose_name='SIRET ou numéro RNA')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='nom')),
                ('kind', models.CharField(choices=[('entreprise', 'Entreprise'), ('association', 'Association'), ('autre', 'Autre organisme')], max_length=12, verbose_name='nature')),
                ('role', models.CharField(choices=[('representant', 'Représentant légal'), ('salarie', 'Salarié habilité'), ('benevole', 'Bénévole habilité'), ('mandataire', 'Mandataire'), ('non_precise', 'Rôle non précisé')], max_length=12, verbose_name='rôle')),
                ('start', models.DateField(verbose_name='début')),
                ('end', models.DateField(blank=True, null=True, verbose_name='fin')),
                ('source', models.CharField(choices=[('declare', 'Déclaré'), ('proconnect', 'ProConnect')], default='declare', max_length=12, verbose_name='source')),
                ('verified_at', models.DateTimeField(blank=True, null=True, verbose_name='vérifié le')),
                ('verified_by', models.CharField(blank=True, max_length=200, verbose_name='vérifié par')),
                ('role_verified', models.BooleanField(default=False, verbose_name='rôle vérifié aussi')),
                ('created_at', models.DateTimeField(verbose_name='ajouté le')),
                ('account', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'rôle dans une entreprise ou une association',
                'ordering': ['name', 'number', 'start'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('end__isnull', True)), fields=('account', 'number'), name='entity_role_once'), models.CheckConstraint(condition=models.Q(('end__isnull', True), ('end__gte', models.F('start')), _connector='OR'), name='entity_role_dates'), models.CheckConstraint(condition=models.Q(models.Q(('role_verified', False), ('verified_at__isnull', True)), models.Q(('verified_at__isnull', False), models.Q(('source', 'declare'), _negated=True)), _connector='OR'), name='entity_role_mark'), models.CheckConstraint(condition=models.Q(('number__regex', '^[0-9]{14}$'), models.Q(('kind', 'association'), ('number__regex', '^W[0-9A-Z]{9}$')), _connector='OR'), name='entity_role_number')],
            },
        ),
        EnableAccountSecurity(app_label="entities", model_name="entityrole"),
    ]

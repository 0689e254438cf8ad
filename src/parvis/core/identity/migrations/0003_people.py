"""A mandate gives a predefined role or one of the organisation's own, in a service, and may be suspended."""

import django.db.models.deletion
from django.db import migrations, models


# Whoever holds an own role reads it while their mandates are read, before any organisation is acted for.
HELD_ROLE = """
CREATE POLICY also ON organisations_role FOR SELECT USING (EXISTS (
    SELECT 1 FROM identity_mandate m WHERE m.own_role_id = organisations_role.id AND m.account_id = parvis_account()
))
"""


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0002_accounts'),
        ('organisations', '0002_people'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='mandate', name='mandate_once'),
        migrations.AddField(
            model_name='mandate',
            name='department',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mandates', to='organisations.department'),
        ),
        migrations.AddField(
            model_name='mandate',
            name='last_used_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='dernier accès'),
        ),
        migrations.AddField(
            model_name='mandate',
            name='own_role',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mandates', to='organisations.role', verbose_name='rôle propre'),
        ),
        migrations.AddField(
            model_name='mandate',
            name='staff_number',
            field=models.CharField(blank=True, max_length=40, verbose_name='matricule'),
        ),
        migrations.AddField(
            model_name='mandate',
            name='suspended_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='suspendu le'),
        ),
        migrations.AlterField(
            model_name='mandate',
            name='role',
            field=models.CharField(blank=True, max_length=20, verbose_name='rôle'),
        ),
        migrations.AddConstraint(
            model_name='mandate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('own_role__isnull', False), ('role', '')), models.Q(models.Q(('role', ''), _negated=True), ('own_role__isnull', True)), _connector='OR'), name='mandate_one_role'),
        ),
        migrations.AddConstraint(
            model_name='mandate',
            constraint=models.UniqueConstraint(condition=models.Q(('end__isnull', True), ('end__gt', models.F('start')), _connector='OR'), fields=('organisation', 'account', 'role', 'own_role', 'start'), name='mandate_once', nulls_distinct=False),
        ),
        migrations.RunSQL(HELD_ROLE, "DROP POLICY also ON organisations_role"),
    ]

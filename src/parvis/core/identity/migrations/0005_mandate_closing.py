"""A mandate closed in the course of a day says when; its dates stay what they were."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0004_life'),
        ('organisations', '0003_organisation_look'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='mandate',
            name='mandate_once',
        ),
        migrations.AddField(
            model_name='mandate',
            name='closed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='clos le'),
        ),
        migrations.AddConstraint(
            model_name='mandate',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True), models.Q(('end__isnull', True), ('end__gt', models.F('start')), _connector='OR')), fields=('organisation', 'account', 'role', 'own_role', 'start'), name='mandate_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='mandate',
            constraint=models.CheckConstraint(condition=models.Q(('closed_at__isnull', True), ('end__isnull', False), _connector='OR'), name='mandate_closed_has_end'),
        ),
    ]

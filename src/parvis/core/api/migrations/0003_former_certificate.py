"""The certificate that a new one replaced, accepted until a date."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0002_end_notices'),
    ]

    operations = [
        migrations.AddField(
            model_name='apiaccount',
            name='former_sha256',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='empreinte de l’ancien certificat'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='apiaccount',
            name='former_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='ancien certificat accepté jusqu’au'),
        ),
        migrations.AlterField(
            model_name='endnotice',
            name='what',
            field=models.CharField(choices=[('account', 'le compte'), ('secret', 'l’ancien secret'), ('certificate', 'le certificat'), ('former', 'l’ancien certificat')], max_length=11, verbose_name='ce qui prend fin'),
        ),
        migrations.AddConstraint(
            model_name='apiaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('former_sha256', ''), ('former_until__isnull', True)), models.Q(models.Q(('certificate_sha256', ''), _negated=True), models.Q(('former_sha256', ''), _negated=True), ('former_until__isnull', False)), _connector='OR'), name='apiaccount_former'),
        ),
    ]

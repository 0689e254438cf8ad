from django.db import migrations, models


class Migration(migrations.Migration):
    """Messages of the basket that somebody sets aside, with the reason."""

    dependencies = [
        ('actes', '0004_notification'),
        ('documents', '0001_initial'),
        ('organisations', '0004_restored_administration'),
    ]

    operations = [
        migrations.AddField(
            model_name='inboundmessage',
            name='set_aside_reason',
            field=models.CharField(blank=True, max_length=300, verbose_name='motif de mise à l’écart'),
        ),
        migrations.AlterField(
            model_name='inboundmessage',
            name='state',
            field=models.CharField(choices=[('recu', 'Reçu, à traiter'), ('traite', 'Traité'), ('banette', 'Banette d’erreur'), ('ecarte', 'Écarté')], default='recu', max_length=8, verbose_name='état'),
        ),
        migrations.AddConstraint(
            model_name='inboundmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'ecarte'), _negated=True), models.Q(('set_aside_reason', ''), _negated=True), _connector='OR'), name='inbound_set_aside_says_why'),
        ),
    ]

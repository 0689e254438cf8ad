import django.db.models.deletion
import parvis.core.ids
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):
    """Acts brought to the knowledge of the people they name."""

    dependencies = [
        ('actes', '0003_letters_and_answers'),
        ('organisations', '0004_restored_administration'),
    ]

    operations = [
        migrations.AddField(
            model_name='acte',
            name='notified_on',
            field=models.DateField(blank=True, null=True, verbose_name='notifié le'),
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('notified_on', models.DateField(verbose_name='notifié le')),
                ('persons', models.PositiveSmallIntegerField(verbose_name='personnes notifiées')),
                ('means', models.CharField(choices=[('remise', 'Remise en main propre, contre signature'), ('lettre', 'Lettre recommandée avec accusé de réception'), ('huissier', 'Commissaire de justice'), ('agent', 'Agent assermenté ou police municipale'), ('numerique', 'Envoi recommandé électronique ou téléservice')], max_length=10, verbose_name='moyen')),
                ('note', models.CharField(blank=True, help_text='Sans nom ni adresse.', max_length=300, verbose_name='précision')),
                ('author_name', models.CharField(max_length=150, verbose_name='prénom et nom de qui certifie')),
                ('author_quality', models.CharField(max_length=150, verbose_name='qualité de qui certifie')),
                ('recorded_at', models.DateTimeField(verbose_name='noté le')),
                ('acte', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='notification', to='actes.acte')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'notification',
                'constraints': [models.CheckConstraint(condition=models.Q(('persons__gte', 1)), name='notification_of_somebody')],
            },
        ),
        EnableRowSecurity(app_label="actes", model_name="Notification"),
    ]

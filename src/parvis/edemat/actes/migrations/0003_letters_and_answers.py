import django.db.models.deletion
import parvis.core.ids
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):
    """What letters of the préfecture say, their files, and the answers to them."""

    dependencies = [
        ('actes', '0002_stamp_placement_and_public_text'),
        ('documents', '0001_initial'),
        ('organisations', '0003_organisation_look'),
    ]

    operations = [
        migrations.CreateModel(
            name='TransactionPiece',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('rank', models.PositiveSmallIntegerField(verbose_name='rang')),
                ('code_pj', models.CharField(blank=True, max_length=5, verbose_name='type de pièce')),
                ('posted_filename', models.CharField(max_length=255, verbose_name='nom du fichier')),
            ],
            options={
                'verbose_name': 'pièce d’un échange',
                'ordering': ['transaction', 'rank'],
            },
        ),
        migrations.AddField(
            model_name='transaction',
            name='letter_date',
            field=models.DateField(blank=True, null=True, verbose_name='date du courrier'),
        ),
        migrations.AddField(
            model_name='transaction',
            name='letter_text',
            field=models.TextField(blank=True, verbose_name='ce que dit le courrier'),
        ),
        migrations.AddField(
            model_name='transaction',
            name='read_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='lu le'),
        ),
        migrations.AlterField(
            model_name='inboundmessage',
            name='outcome',
            field=models.CharField(blank=True, choices=[('acquittement', 'Accusé de réception'), ('anomalie', 'Anomalie'), ('courrier', 'Courrier de la préfecture'), ('reponse', 'Réponse reçue par la préfecture'), ('classification', 'Classification'), ('annulation', 'Annulation reçue par la préfecture'), ('information', 'Information sans message métier'), ('doublon', 'Déjà reçu, sans effet')], max_length=16, verbose_name='effet'),
        ),
        migrations.AlterField(
            model_name='transaction',
            name='kind',
            field=models.CharField(choices=[('1-1', 'Transmission d’un acte'), ('2-1', 'Courrier simple'), ('3-1', 'Demande de pièces complémentaires'), ('4-1', 'Lettre d’observations'), ('2-2', 'Réponse au courrier simple'), ('3-2', 'Accusé de la demande de pièces'), ('3-3', 'Refus des pièces complémentaires'), ('3-4', 'Envoi des pièces complémentaires'), ('4-2', 'Accusé de la lettre d’observations'), ('4-3', 'Rejet des observations'), ('4-4', 'Réponse aux observations'), ('5-1', 'Déféré au tribunal administratif'), ('6-1', 'Annulation de la transmission'), ('7-1', 'Demande de classification')], max_length=3, verbose_name='type'),
        ),
        migrations.AddConstraint(
            model_name='transaction',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ['2-2', '3-3', '3-4', '4-3', '4-4']), models.Q(('status', -1), _negated=True)), fields=('related',), name='transaction_one_answer_per_letter'),
        ),
        migrations.AddConstraint(
            model_name='transaction',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', '6-1'), models.Q(('status', -1), _negated=True)), fields=('related',), name='transaction_one_cancellation'),
        ),
        migrations.AddField(
            model_name='transactionpiece',
            name='document',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='documents.document'),
        ),
        migrations.AddField(
            model_name='transactionpiece',
            name='organisation',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation'),
        ),
        migrations.AddField(
            model_name='transactionpiece',
            name='transaction',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pieces', to='actes.transaction'),
        ),
        migrations.AddConstraint(
            model_name='transactionpiece',
            constraint=models.UniqueConstraint(fields=('transaction', 'rank'), name='transaction_piece_rank'),
        ),
        EnableRowSecurity(app_label="actes", model_name="TransactionPiece"),
    ]

import django.db.models.deletion
import parvis.core.ids
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Document',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('sha256', models.CharField(max_length=64, verbose_name='empreinte SHA-256')),
                ('size', models.BigIntegerField(verbose_name='taille en octets')),
                ('filename', models.CharField(max_length=255, verbose_name='nom du fichier')),
                ('label', models.CharField(blank=True, max_length=200, verbose_name='intitulé')),
                ('media_type', models.CharField(max_length=120, verbose_name='type')),
                ('puid', models.CharField(blank=True, max_length=20, verbose_name='format PRONOM')),
                ('format_name', models.CharField(blank=True, max_length=120, verbose_name='nom du format')),
                ('pages', models.PositiveIntegerField(null=True, verbose_name='nombre de pages')),
                ('health', models.JSONField(default=dict, verbose_name='contrôle du fichier')),
                ('scan_state', models.CharField(choices=[('not_scanned', 'Non analysé par l’antivirus'), ('clean', 'Analysé, sain'), ('infected', 'Contenu malveillant')], default='not_scanned', max_length=12, verbose_name='antivirus')),
                ('derivation', models.CharField(blank=True, max_length=30, verbose_name='transformation')),
                ('created_at', models.DateTimeField(verbose_name='déposé le')),
                ('public_since', models.DateTimeField(null=True, verbose_name='public depuis')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='derived', to='documents.document', verbose_name='issu de')),
            ],
            options={
                'verbose_name': 'document',
                'indexes': [models.Index(fields=['organisation', 'sha256'], name='document_content')],
                'constraints': [models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='document_sha256_shape'), models.CheckConstraint(condition=models.Q(('size__gte', 0)), name='document_size')],
            },
        ),
        EnableRowSecurity(app_label="documents", model_name="document", public_when="public_since IS NOT NULL"),
    ]

import django.db.models.deletion
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='adresse électronique')),
                ('given_name', models.CharField(max_length=80, verbose_name='prénom')),
                ('family_name', models.CharField(max_length=80, verbose_name='nom')),
                ('is_active', models.BooleanField(default=True, verbose_name='actif')),
                ('is_platform_administrator', models.BooleanField(default=False, verbose_name='administre la plateforme')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='créé le')),
            ],
            options={
                'verbose_name': 'compte',
            },
        ),
        migrations.CreateModel(
            name='Mandate',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('secretaire', 'Secrétariat général'), ('dgs', 'Direction générale des services'), ('maire', 'Maire ou président'), ('elu', 'Élu'), ('archiviste', 'Archiviste'), ('administrateur', 'Administration de l’organisation'), ('lecteur', 'Consultation')], max_length=20, verbose_name='rôle')),
                ('title', models.CharField(blank=True, help_text='Telle qu’elle figure sur les actes.', max_length=120, verbose_name='qualité')),
                ('start', models.DateField(verbose_name='début')),
                ('end', models.DateField(blank=True, null=True, verbose_name='fin')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mandates', to=settings.AUTH_USER_MODEL, verbose_name='personne')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'mandat',
                'indexes': [models.Index(fields=['account'], name='mandate_account')],
                'constraints': [models.CheckConstraint(condition=models.Q(('end__isnull', True), ('end__gte', models.F('start')), _connector='OR'), name='mandate_dates'), models.UniqueConstraint(fields=('organisation', 'account', 'role', 'start'), name='mandate_once')],
            },
        ),
        EnableRowSecurity(app_label="identity", model_name="mandate", also_when="account_id = parvis_account()"),
    ]

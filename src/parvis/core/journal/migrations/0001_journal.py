"""The journal's tables, and the triggers that refuse any change of what is written, to every role."""

import django.db.models.deletion
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity

WRITTEN_ONCE = ("journal_entry", "journal_tile", "journal_seal")
MODELS = ("entry", "head", "seal", "tile")


def _refusals() -> str:
    statements = ["""
CREATE FUNCTION parvis_journal_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""]
    role = settings.PARVIS_DB_APP_ROLE
    for table in WRITTEN_ONCE:
        statements.append(f"""
CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION parvis_journal_refuses();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION parvis_journal_refuses();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{role}";
    END IF;
END $$;
""")
    return "".join(statements)


def _forget() -> str:
    triggers = "".join(
        f"DROP TRIGGER written_once ON {table}; DROP TRIGGER never_emptied ON {table};" for table in WRITTEN_ONCE
    )
    return triggers + "DROP FUNCTION parvis_journal_refuses();"



class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(verbose_name='numéro')),
                ('ts', models.DateTimeField(verbose_name='date')),
                ('action', models.CharField(max_length=60, verbose_name='événement')),
                ('actor_kind', models.CharField(max_length=12)),
                ('actor_id', models.CharField(blank=True, max_length=64)),
                ('subject_kind', models.CharField(max_length=40)),
                ('subject_id', models.CharField(max_length=64)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('details', models.JSONField(default=dict)),
                ('prev', models.CharField(max_length=64, verbose_name='empreinte de l’écriture précédente')),
                ('leaf', models.BinaryField(max_length=32, verbose_name='feuille de l’arbre')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'écriture',
                'ordering': ['seq'],
                'indexes': [models.Index(fields=['organisation', 'subject_kind', 'subject_id', 'seq'], name='journal_entry_subject')],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'seq'), name='journal_entry_seq'), models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='journal_entry_seq_from_one')],
            },
        ),
        migrations.CreateModel(
            name='Head',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(default=0)),
                ('prev', models.CharField(max_length=64)),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'fin de chaîne',
                'constraints': [models.UniqueConstraint(fields=('organisation',), name='journal_one_head')],
            },
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='numéro')),
                ('sealed_at', models.DateTimeField(verbose_name='scellé le')),
                ('tree_size', models.BigIntegerField(verbose_name='nombre d’écritures')),
                ('root', models.CharField(max_length=64, verbose_name='racine de l’arbre')),
                ('checkpoint', models.BinaryField(verbose_name='point de contrôle (JSON canonique)')),
                ('checkpoint_sha256', models.CharField(max_length=64, verbose_name='empreinte du point de contrôle')),
                ('token', models.BinaryField(verbose_name='jeton RFC 3161 (TimeStampToken)')),
                ('token_response', models.BinaryField(verbose_name='jeton RFC 3161 (réponse)')),
                ('token_time', models.DateTimeField(verbose_name='date certaine')),
                ('authority', models.CharField(max_length=200, verbose_name='autorité d’horodatage')),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('previous', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='journal.seal')),
            ],
            options={
                'verbose_name': 'scellement',
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'number'), name='journal_seal_number')],
            },
        ),
        migrations.CreateModel(
            name='Tile',
            fields=[
                ('id', models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('level', models.PositiveSmallIntegerField()),
                ('index', models.BigIntegerField()),
                ('root', models.BinaryField(max_length=32)),
                ('hashes', models.BinaryField(max_length=8192)),
                ('organisation', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'verbose_name': 'tuile de l’arbre',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'level', 'index'), name='journal_tile_place')],
            },
        ),
        migrations.RunSQL(_refusals(), _forget()),
        *[EnableRowSecurity(app_label="journal", model_name=name) for name in MODELS],
    ]

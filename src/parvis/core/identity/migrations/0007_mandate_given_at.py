"""A mandate says since when it was given, and that never changes: an organisation does not choose since when it reads.

A mandate given before this column existed takes the instant of its opening from the journal, which nobody rewrites;
one of which the journal says nothing counts from this migration.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

import parvis.core.clock

FROM_JOURNAL = """
UPDATE identity_mandate m SET given_at = opened.ts
FROM (
    SELECT organisation_id, subject_id, min(ts) AS ts FROM journal_entry
    WHERE subject_kind = 'mandat' AND action = 'mandat.ouvert' GROUP BY organisation_id, subject_id
) opened
WHERE opened.organisation_id = m.organisation_id AND opened.subject_id = m.id::text
"""
NEVER_CHANGES = """
CREATE FUNCTION parvis_mandate_given_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the instant at which a mandate was given never changes' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER given_once BEFORE UPDATE ON identity_mandate FOR EACH ROW
    WHEN ((NEW.given_at, NEW.account_id, NEW.organisation_id)
        IS DISTINCT FROM (OLD.given_at, OLD.account_id, OLD.organisation_id))
    EXECUTE FUNCTION parvis_mandate_given_once();
"""
PEOPLE = """
ALTER POLICY people ON identity_securityevent USING (
    organisation_id IS NULL AND event NOT LIKE 'user.service.%' AND EXISTS (
        SELECT 1 FROM identity_mandate m
        WHERE m.account_id = identity_securityevent.account_id
        AND m.organisation_id = ANY (parvis_organisations()){given}
        AND m.start <= (identity_securityevent.at AT TIME ZONE 'Europe/Paris')::date
        AND (m."end" IS NULL OR m."end" >= (identity_securityevent.at AT TIME ZONE 'Europe/Paris')::date)
        AND (m.closed_at IS NULL OR m.closed_at >= identity_securityevent.at)
    )
)
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0006_people_events"), ("journal", "0001_journal")]

    operations = [
        migrations.AddField(
            model_name="mandate",
            name="given_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                default=parvis.core.clock.now,
                editable=False,
                verbose_name="donné le",
            ),
        ),
        migrations.RunSQL(FROM_JOURNAL, migrations.RunSQL.noop),
        migrations.RunSQL(
            NEVER_CHANGES,
            "DROP TRIGGER given_once ON identity_mandate; DROP FUNCTION parvis_mandate_given_once();",
        ),
        migrations.RunSQL(
            PEOPLE.format(given="\n        AND m.given_at <= identity_securityevent.at"), PEOPLE.format(given="")
        ),
    ]

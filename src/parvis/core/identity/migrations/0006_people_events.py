"""An organisation reads what happened to its people while they acted for it, besides what is written in its name."""

from django.db import migrations

# What another organisation wrote stays its own, and so do the sites on which a person logs in.
PEOPLE = """
CREATE POLICY people ON identity_securityevent FOR SELECT USING (
    organisation_id IS NULL AND event NOT LIKE 'user.service.%' AND EXISTS (
        SELECT 1 FROM identity_mandate m
        WHERE m.account_id = identity_securityevent.account_id
        AND m.organisation_id = ANY (parvis_organisations())
        AND m.start <= (identity_securityevent.at AT TIME ZONE 'Europe/Paris')::date
        AND (m."end" IS NULL OR m."end" >= (identity_securityevent.at AT TIME ZONE 'Europe/Paris')::date)
        AND (m.closed_at IS NULL OR m.closed_at >= identity_securityevent.at)
    )
)
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0005_mandate_closing")]

    operations = [migrations.RunSQL(PEOPLE, "DROP POLICY people ON identity_securityevent")]

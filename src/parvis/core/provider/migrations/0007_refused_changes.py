"""A service whose change was refused is in force: « refusé » is said only of one that was never approved."""

from django.db import migrations

FORWARD = """
UPDATE allauth_idp_oidc_client c SET data = jsonb_set(c.data, '{state}', '"en_service"')
    FROM provider_service s WHERE s.client_id = c.id AND s.state = 'refuse' AND s.approved_at IS NOT NULL;
UPDATE provider_service SET state = 'en_service' WHERE state = 'refuse' AND approved_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("provider", "0006_forget_grants")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]

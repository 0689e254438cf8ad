"""Logins on sites are forgotten once they are over for long enough, whoever's they are."""

from django.db import migrations

# Tokens outlive their end by two months at most (``grants.purge``): none is left where a grant ran out long ago.
FUNCTION = """
CREATE FUNCTION parvis_purge_grants(before timestamptz, now timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH gone AS (
        DELETE FROM provider_grant g
        WHERE coalesce(g.ended_at, g.created_at) < before AND NOT EXISTS (
            SELECT FROM allauth_idp_oidc_token t WHERE t.data ->> 'grant' = g.id::text AND t.expires_at > now
        )
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$
"""


class Migration(migrations.Migration):
    dependencies = [("provider", "0005_entity")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION parvis_purge_grants(timestamptz, timestamptz)")]

"""Whether anybody does the background jobs: each worker says every ten seconds that it lives."""

from django.db import connection

SILENCE_SECONDS = 60


def number_alive() -> int:
    """How many workers have given a sign of life lately."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - %s * interval '1 second'",
            [SILENCE_SECONDS],
        )
        return int(cursor.fetchone()[0])

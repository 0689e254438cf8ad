"""Background work of the API: forgetting who called long ago."""

from procrastinate.contrib.django import app

from parvis.core.api.throttling import forget_idle_meters


@app.periodic(cron="25 * * * *")
@app.task(
    name="api.forget_idle_meters", queue="maintenance", queueing_lock="api.forget_idle_meters", pass_context=False
)
def forget_meters(timestamp: int = 0) -> None:
    """Keep no network address longer than the hour in which it called."""
    forget_idle_meters()

"""The lines of the rail that belong to the core itself."""

from parvis.core.web import navigation

navigation.register(
    "administration",
    "Organisation",
    "organisations:settings",
    permission="administration.organisation",
    group=navigation.FOOT,
    rank=900,
)
navigation.register(
    "travaux",
    "Travaux en cours",
    "jobs:list",
    permission="administration.taches",
    group=navigation.FOOT,
    rank=910,
)

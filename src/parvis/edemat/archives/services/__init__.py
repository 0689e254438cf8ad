"""Use cases of the archiving service: assembling, depositing, controlling, storing."""

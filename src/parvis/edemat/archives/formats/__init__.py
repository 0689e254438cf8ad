"""Formats of the archiving service: SEDA messages, SIP containers, PREMIS records and OCFL inventories."""

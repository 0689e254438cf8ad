"""Companies and associations that people act for: each person's own dated roles, and for whom they act just now."""

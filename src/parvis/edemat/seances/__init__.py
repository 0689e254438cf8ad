"""Meetings of deliberating bodies: from the agenda and the convocation to the deliberation ready to be
signed."""

"""Rules of deliberating bodies as pure functions: delays, quorum, ballots, powers, numbering, checks,
evidence."""

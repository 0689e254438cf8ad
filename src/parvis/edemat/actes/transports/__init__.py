"""Ways out to the State and back: the ministry's HTTPS door, the mailbox of its returns."""

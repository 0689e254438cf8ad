"""Use cases of the télétransmission: preparing, transmitting, receiving the State's answers."""

"""Pages of acts: the agents' board, act and basket, and the public register."""

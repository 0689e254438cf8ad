"""Pages of the federation: login, linking, own account, logout, administration's queue."""

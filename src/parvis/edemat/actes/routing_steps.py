"""The steps that this service adds to a route: transmission to the State, then its acknowledgement."""

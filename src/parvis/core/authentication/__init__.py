"""How people prove who they are: passwords, second factors, step-up, sessions, throttling."""

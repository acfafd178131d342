"""`mostrador bench`: simulated prospects against the service and its peers, beside what this machine can do at all."""

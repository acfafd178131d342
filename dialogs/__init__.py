"""What the service says and asks: pure dialogs, without I/O, clock or SQL."""

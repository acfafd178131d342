"""How alerts look."""

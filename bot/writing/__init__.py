"""The writing assistant around its endpoint: what is put to it, what leaves the house, and what is marked in its answers."""

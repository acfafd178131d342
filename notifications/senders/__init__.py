"""The ways out: one file each."""

"""What a person is interested in, and how ready they are."""

"""Text to meaning: intent, entities, frequent question and language. Pure."""

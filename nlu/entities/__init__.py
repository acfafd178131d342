"""What a text names: numbers, amounts, days, hours, places, things of ours; each with its place in the text. Pure."""

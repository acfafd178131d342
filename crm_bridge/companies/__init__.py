"""Companies, their people, roles and log-ins."""

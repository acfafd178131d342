"""The messengers: each parses its own webhooks and sends its own messages; the rest of the service knows neither."""

"""Every door of the service (webhooks, pages, chat, command line) and the only place where it is put together."""

"""WhatsApp on this machine: a local Graph API, a phone in the browser and one in the terminal."""

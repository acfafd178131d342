"""What `/metrics` shows besides the process itself; no label ever holds a person's words or number."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

WEBHOOKS = Counter("mostrador_webhooks_total", "Webhook requests by channel and answer", ["channel", "status"])
TURNS = Counter("mostrador_turns_total", "Turns made")
FAILED_TURNS = Counter("mostrador_turns_failed_total", "Turns that failed and were tried again or parked")
SENT = Counter("mostrador_messages_sent_total", "Messages that a messenger accepted", ["channel"])
REFUSED = Counter("mostrador_messages_refused_total", "Messages that a messenger refused, by error code", ["channel", "code"])
UNCERTAIN = Counter(
    "mostrador_messages_uncertain_total", "Messages sent without an answer: their fate is told by statuses", ["channel"]
)
OLDEST = Gauge("mostrador_oldest_waiting_seconds", "How long the oldest unanswered message has waited, as the web role sees it")
PROCESSES = Gauge("mostrador_processes", "Living processes, by role", ["role"])
BUS_UP = Gauge("mostrador_redis_up", "1 while words travel between processes over Redis, 0 while they look into the database")
RASA_CALLS = Counter("mostrador_rasa_texts_total", "Texts put to the Rasa server, by what came of it", ["outcome"])
RASA_FALLBACKS = Counter("mostrador_rasa_fallbacks_total", "Texts that the embedded engine understood in the Rasa server's place")
RASA_RESTING = Gauge("mostrador_rasa_resting", "1 while the Rasa server is left alone after failures")
WAITING_TURNS = Gauge("mostrador_conversations_waiting", "Conversations with a message that is not answered yet")
WAITING_SENDS = Gauge("mostrador_messages_waiting", "Messages that are committed and not sent yet")

"""Where events go: lines of JSON, a webhook, MQTT, and whatever apprise reaches. `kinds` makes them."""

"""What happened: the one part that knows that there is a database. `Store` is its face, `records` what it speaks of."""

from oddframe.site.store.store import Store as Store

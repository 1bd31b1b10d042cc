"""Files by URL, on object storage: what is read is never held whole, and what is written appears whole."""

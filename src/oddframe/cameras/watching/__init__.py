"""Whether a camera's pictures can be judged: frozen, dark, blinded, moved, or well."""

"""Scores beside labels become figures."""

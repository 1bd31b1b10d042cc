"""Finds what is out of the ordinary in video from fixed cameras."""

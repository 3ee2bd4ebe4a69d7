"""Weights in other programs' files: read without trust, written by hand."""

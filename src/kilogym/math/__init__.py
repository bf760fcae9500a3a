"""Quaternions and rigid transforms."""

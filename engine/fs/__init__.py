"""Filesystems and what they share: block map, free space, quota, disk."""

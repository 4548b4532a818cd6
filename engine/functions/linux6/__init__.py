"""Kernel functions as Linux 6.x has them, one to a file. Where 6.x still does what 2.6.9 did, that one is used."""

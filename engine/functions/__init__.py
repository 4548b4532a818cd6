"""Kernel functions, one to a file, named after it; each a class whose methods are its atomic steps."""

"""The things a kernel keeps: entities with cells."""

"""The catalogue: operators as their source says, read without importing or executing anything."""

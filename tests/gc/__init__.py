"""What gc removes, and that nothing that is needed is ever among it."""

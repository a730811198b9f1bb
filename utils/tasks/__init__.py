"""What is learned: one task distribution a file."""

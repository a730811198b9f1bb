"""What the course claims about speed and accuracy, measured in one run: `python -m benchmarks`."""

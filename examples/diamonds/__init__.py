"""What a diamond costs, by its weight, cut, colour, clarity and measures: a regression that begins with a file."""

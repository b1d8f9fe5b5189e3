"""On which continent a country lies, by a year's births, lives and income: five classes that begin with a file."""

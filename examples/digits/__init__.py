"""The digits example: which digit does a small picture show? Scikit-learn's 1,797, as PNG files."""

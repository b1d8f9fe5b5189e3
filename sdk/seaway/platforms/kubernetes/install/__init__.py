"""What an installation applies: roles, rules, monitors."""

"""What rules are fed, kept small: other rules can be tried on yesterday before they go live."""

"""Templates in Jinja2's syntax, of which only listed expressions are understood."""

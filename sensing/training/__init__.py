"""Scripts that make the models we ship; never imported at run time."""

"""What is wrong or odd about routines, found without running them."""

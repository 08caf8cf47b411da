"""What grows out of ./dev. Standard library only: it runs before anything is installed."""

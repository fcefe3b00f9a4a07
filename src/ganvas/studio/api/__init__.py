"""What the studio's pages ask for, one file for each page."""

"""Where images come from: a folder, a .zip archive, or what comes with ganvas."""

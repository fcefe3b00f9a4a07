"""Style: repaint a picture until a network sees the wanted content and the wanted style."""

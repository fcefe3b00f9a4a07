"""Style: repaint an image until a network sees the wanted content and the wanted style."""

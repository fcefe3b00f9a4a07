"""Other libraries that train with the data and the doctor of ganvas."""

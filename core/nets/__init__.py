"""Small networks that come with the studio, trained by its own code."""

"""`make demo`: a page to draw a digit on."""

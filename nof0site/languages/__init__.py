"""The languages of pages: the middleware that chooses one, and texts of the theme."""

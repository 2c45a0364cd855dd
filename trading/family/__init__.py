"""A trader and its clones: their versions side by side, over the time in which all of them ran."""

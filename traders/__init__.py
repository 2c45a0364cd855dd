"""Control plane: what each trader is told to do, and every version of it."""

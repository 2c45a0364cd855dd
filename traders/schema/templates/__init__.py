"""The language of prompt templates: Go text/template. What `parse` takes, `Evaluation` renders."""

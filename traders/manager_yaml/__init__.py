"""manager.yaml and the files beside it: a strict reader and a writer whose output reads back as the same fleet.

Plain Python: imports the schema and PyYAML, nothing of Django.
"""

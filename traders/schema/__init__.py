"""The declaration of the configurations of traders and of the fleet.

The YAML reader, the forms, the validation, the diff and the documentation all read these
declarations. Plain Python: imports nothing of Django and nothing of the other packages here.
"""

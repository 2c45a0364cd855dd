"""The public documents of the read API, built from schema types: in the words of the contract.

Plain Python. A builder makes one row, or one whole document out of rows that are encoded already; what is not known is
null, times are seconds unless their name says ms, and rows stand in order of time.
"""

"""The rotation function's code, as Lambda runs it: the standard library and boto3 only.

It imports nothing of the project, because this folder alone is what is deployed.
"""

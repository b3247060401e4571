"""The sample tenant of the embedded stack: who it is, what its customers said, how it gets in.

tenant      settings, surveys, agents, countries: who answers whom
responses   90 days of answers, made up the same way every time
load        the tenant into the table, the answers through POST /v1/batch/responses
"""

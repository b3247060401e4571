"""GET /v1/insights: what happened in some days, where, for whom and at what cost.

insights_query  the query string as one value
reading         several questions' sums by one reading of the reports
finding         the headlines, the worst run of days, what moved a score, what it cost
telling         the same as sentences, by `language` in one of four
routes          the reply
"""

-- How many answers the published days of daily_scores count, of all tenants together.
-- Parameters: first_day and last_day as text.
SELECT coalesce(sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10), 0) AS events
FROM daily_scores
WHERE dt BETWEEN :first_day AND :last_day

-- How many sessions the published days of daily_sessions count, of all tenants together.
-- Parameters: first_day and last_day as text.
SELECT coalesce(sum(sessions), 0) AS events
FROM daily_sessions
WHERE dt BETWEEN :first_day AND :last_day

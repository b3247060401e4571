-- How many sessions the published days of daily_sessions count for each of some tenants.
-- Parameters: first_day and last_day as text, tenants.
SELECT tenant, sum(sessions) AS events
FROM daily_sessions
WHERE dt BETWEEN :first_day AND :last_day
    AND contains(:tenants, tenant)
GROUP BY tenant

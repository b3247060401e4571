-- How many interactions the published days of daily_interactions count for each of some tenants.
-- Parameters: first_day and last_day as text, tenants.
SELECT tenant, sum(entered) AS events
FROM daily_interactions
WHERE dt BETWEEN :first_day AND :last_day
    AND contains(:tenants, tenant)
GROUP BY tenant

-- How many interactions the published days of daily_interactions count, by tenant and year.
-- Parameters: first_day and last_day as text; without: days that are left out, as text.
SELECT tenant, substr(dt, 1, 4) AS year, sum(entered) AS events
FROM daily_interactions
WHERE dt BETWEEN :first_day AND :last_day
    AND NOT contains(:without, dt)
GROUP BY tenant, substr(dt, 1, 4)

-- How many interactions the published days of daily_interactions count, of all tenants together.
-- Parameters: first_day and last_day as text.
SELECT coalesce(sum(entered), 0) AS events
FROM daily_interactions
WHERE dt BETWEEN :first_day AND :last_day

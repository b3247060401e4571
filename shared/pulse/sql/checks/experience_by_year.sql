-- How many answers the published days of daily_experience count, linked or not, by tenant and year.
-- Parameters: first_day and last_day as text; without: days that are left out, as text.
SELECT tenant, substr(dt, 1, 4) AS year, sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10) AS events
FROM daily_experience
WHERE dt BETWEEN :first_day AND :last_day
    AND NOT contains(:without, dt)
GROUP BY tenant, substr(dt, 1, 4)

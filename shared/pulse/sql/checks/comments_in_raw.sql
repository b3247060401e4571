-- How many answers that count have a comment: one row for each tenant and day that has any.
-- Reads raw_responses. Parameters: first_day, last_day and the days themselves, as text.
WITH counted AS (
{counted/responses}
)

SELECT tenant, dt, count(*) AS events
FROM counted
WHERE comment IS NOT NULL
GROUP BY tenant, dt

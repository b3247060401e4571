-- Interactions whose milestones contradict each other: one lies before what has to come before it.
-- They count, but the time between the two is no duration. A moment of which the day alone is known
-- contradicts nothing. Reads raw_interactions. Parameters: first_day, last_day and the days
-- themselves, as text; synchronous, as counted/interactions.
WITH timed AS (
{counted/durations}
)

SELECT tenant, dt, count(*) AS interactions
FROM timed
WHERE accept_us < 0 OR first_response_us < 0 OR finish_us < 0 OR handle_us < 0
GROUP BY tenant, dt
ORDER BY tenant, dt

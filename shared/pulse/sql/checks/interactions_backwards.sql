-- Interactions whose milestones contradict each other: one lies before what has to come before it.
-- They count, but the time between the two is no duration. A moment of which the day alone is known
-- contradicts nothing. Reads raw_interactions. Parameters: first_day, last_day and the days
-- themselves, as text.
WITH merged AS (
{counted/interactions}
)

SELECT tenant, dt, count(*) AS interactions
FROM merged
WHERE (accepted_us < entered_us AND NOT entered_by_day AND NOT accepted_by_day)
    OR (first_response_us < entered_us AND NOT entered_by_day AND NOT first_response_by_day)
    OR (finished_us < entered_us AND NOT entered_by_day AND NOT finished_by_day)
    OR (finished_us < accepted_us AND NOT accepted_by_day AND NOT finished_by_day)
GROUP BY tenant, dt
ORDER BY tenant, dt

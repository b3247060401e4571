-- Whose rows of interactions differ between the runs of a day: a row for each tenant and day.
-- Reads daily_interactions_runs. Parameters: runs; pairs, each written run/day; first_day and last_day
-- as text; compared: how many runs each of the days has among the pairs.
-- A run has a row once. So a row that all the runs of its day have is there as often as they are.
WITH differing AS (
    SELECT tenant, dt
    FROM daily_interactions_runs
    WHERE run IN (:runs)
        AND dt BETWEEN :first_day AND :last_day
        AND contains(:pairs, run || '/' || dt)
    GROUP BY
        tenant, dt,
        media_type, customer_segment, service_type, agent, currency,
        entered, offered, accepted, responded, finished, abandoned, replies, accept_due,
        accept_met, first_response_due, first_response_met, finish_due, finish_met,
        finished_responded, handled, with_satisfaction, with_revenue, accept_us,
        first_response_us, finish_us, handle_us, satisfaction, revenue
    HAVING count(*) <> :compared
)

SELECT tenant, dt
FROM differing
GROUP BY tenant, dt

-- Whose rows of interactions differ between the runs of a day: a row for each tenant and day of them.
-- Reads daily_interactions_runs. Parameters: runs; pairs, each written run/day; newest, the pairs of
-- each day's newest run; first_day and last_day as text; compared: how many runs each of the days
-- has among the pairs.
-- A run has a row once. So a row that all the runs of its day have is there as often as they are.
-- Of a tenant and day: the events and rows of the newest run, and how many rows not all runs have.
WITH counted AS (
    SELECT
        tenant, dt,
        entered AS events,
        count(*) AS copies,
        count_if(contains(:newest, run || '/' || dt)) AS copies_now
    FROM daily_interactions_runs
    WHERE run IN (:runs)
        AND dt BETWEEN :first_day AND :last_day
        AND contains(:pairs, run || '/' || dt)
    GROUP BY
        tenant, dt,
        media_type, customer_segment, service_type, agent, currency,
        entered, offered, accepted, responded, finished, abandoned, replies,
        accept_due, accept_met, first_response_due, first_response_met, finish_due, finish_met,
        finished_responded, handled, with_satisfaction, with_revenue,
        accept_us, first_response_us, finish_us, handle_us,
        -- days that were built before these columns came: every duration counted
        coalesce(accept_timed, accepted), coalesce(first_response_timed, responded),
        coalesce(finish_timed, finished_responded), coalesce(handle_timed, handled),
        satisfaction, revenue
)

SELECT
    tenant, dt,
    sum(CASE WHEN copies_now > 0 THEN events ELSE 0 END) AS events,
    count_if(copies_now > 0) AS present,
    count_if(copies <> :compared) AS differing
FROM counted
GROUP BY tenant, dt

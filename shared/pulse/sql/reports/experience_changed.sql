-- Whose rows of experience differ between the runs of a day: a row for each tenant and day of them.
-- Reads daily_experience_runs. Parameters: runs; pairs, each written run/day; newest, the pairs of
-- each day's newest run; first_day and last_day as text; compared: how many runs each of the days
-- has among the pairs.
-- A run has a row once. So a row that all the runs of its day have is there as often as they are.
-- Of a tenant and day: the events and rows of the newest run, and how many rows not all runs have.
WITH counted AS (
    SELECT
        tenant, dt,
        c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 AS events,
        count(*) AS copies,
        count_if(contains(:newest, run || '/' || dt)) AS copies_now
    FROM daily_experience_runs
    WHERE run IN (:runs)
        AND dt BETWEEN :first_day AND :last_day
        AND contains(:pairs, run || '/' || dt)
    GROUP BY
        tenant, dt,
        survey, metric, scale, channel, device,
        media_type, customer_segment, service_type, agent,
        accept, first_response, finish, wait, life, was_abandoned, had_revenue, was_rated, entered_on,
        c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10
)

SELECT
    tenant, dt,
    sum(CASE WHEN copies_now > 0 THEN events ELSE 0 END) AS events,
    count_if(copies_now > 0) AS present,
    count_if(copies <> :compared) AS differing
FROM counted
GROUP BY tenant, dt

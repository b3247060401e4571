-- Rows of a large tenant: its daily rows of interactions of some runs and days, apart from all others'.
-- Reads daily_interactions_runs. Parameters: tenant; runs; pairs, each written run/day; first_day and
-- last_day as text. Laid out by day.
SELECT
    media_type, customer_segment, service_type, agent, currency,
    entered, offered, accepted, responded, finished, abandoned, replies,
    accept_due, accept_met, first_response_due, first_response_met, finish_due, finish_met,
    finished_responded, handled, with_satisfaction, with_revenue,
    accept_us, first_response_us, finish_us, handle_us,
    -- days that were built before these columns came: every duration counted
    coalesce(accept_timed, accepted) AS accept_timed,
    coalesce(first_response_timed, responded) AS first_response_timed,
    coalesce(finish_timed, finished_responded) AS finish_timed,
    coalesce(handle_timed, handled) AS handle_timed,
    satisfaction, revenue,
    dt
FROM daily_interactions_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND tenant = :tenant

-- Report rows of interactions: daily rows of some runs and days, laid out by a bucket of the tenant.
-- Reads daily_interactions_runs. Parameters: runs; pairs, each written run/day; first_day and last_day
-- as text; everybody: rows of every tenant, else only those of the tenants.
-- The same rows, only arranged for reading; the builder splits each bucket by tenant.
SELECT
    tenant,
    media_type, customer_segment, service_type, agent, currency,
    CAST(dt AS date) AS day,
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
    substr(lower(to_hex(sha256(to_utf8(tenant)))), 1, 1) AS bucket
FROM daily_interactions_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND (:everybody OR contains(:tenants, tenant))

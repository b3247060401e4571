-- Report rows of interactions: the daily rows of some tenants for some days, laid out by tenant.
-- Reads daily_interactions. Parameters: first_day and last_day as text, tenants.
-- The same rows, only arranged for reading; their order is made by the builder.
SELECT
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
    tenant
FROM daily_interactions
WHERE dt BETWEEN :first_day AND :last_day
    AND contains(:tenants, tenant)

-- Rows of a large tenant: daily rows of interactions of a run and some days, apart from all others.
-- Reads daily_interactions_runs. Parameters: tenant; run; first_day, last_day and the
-- days themselves, as text. Laid out by day.
SELECT
    media_type, customer_segment, service_type, agent, currency, entered, offered, accepted,
    responded, finished, abandoned, replies, accept_due, accept_met, first_response_due,
    first_response_met, finish_due, finish_met, finished_responded, handled, with_satisfaction,
    with_revenue, accept_us, first_response_us, finish_us, handle_us, satisfaction, revenue,
    dt
FROM daily_interactions_runs
WHERE run = :run
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:days, dt)
    AND tenant = :tenant

-- What counts of raw_interactions: the updates of an identity on a day, merged into one row.
-- Parameters: first_day, last_day and the days themselves, as text; synchronous, the media on which
-- customers wait on the line, in rows that do not say so themselves.
-- Of each field the greatest update that gives one counts. What belongs together comes together:
-- media, entry and the thresholds in force then, of the greatest update of all; an amount and its
-- currency, which no update has without the other; a milestone and whether its day alone is known.
SELECT
    tenant, interaction_id,
    max(media_type) FILTER (WHERE place = 1) AS media_type,
    max(entered_us) FILTER (WHERE place = 1) AS entered_us,
    max(updated_us) FILTER (WHERE place = 1) AS updated_us,
    max(received_us) FILTER (WHERE place = 1) AS received_us,
    min_by(customer_segment, place) FILTER (WHERE customer_segment IS NOT NULL)
        AS customer_segment,
    min_by(service_type, place) FILTER (WHERE service_type IS NOT NULL) AS service_type,
    min_by(agent, place) FILTER (WHERE agent IS NOT NULL) AS agent,
    min_by(agent_name, place) FILTER (WHERE agent_name IS NOT NULL) AS agent_name,
    min_by(customer, place) FILTER (WHERE customer IS NOT NULL) AS customer,
    min_by(offered_us, place) FILTER (WHERE offered_us IS NOT NULL) AS offered_us,
    min_by(accepted_us, place) FILTER (WHERE accepted_us IS NOT NULL) AS accepted_us,
    min_by(first_response_us, place) FILTER (WHERE first_response_us IS NOT NULL)
        AS first_response_us,
    min_by(finished_us, place) FILTER (WHERE finished_us IS NOT NULL) AS finished_us,
    min_by(abandoned, place) FILTER (WHERE abandoned IS NOT NULL) AS abandoned,
    min_by(replies, place) FILTER (WHERE replies IS NOT NULL) AS replies,
    min_by(satisfaction, place) FILTER (WHERE satisfaction IS NOT NULL) AS satisfaction,
    min_by(revenue, place) FILTER (WHERE revenue IS NOT NULL) AS revenue,
    min_by(currency, place) FILTER (WHERE currency IS NOT NULL) AS currency,
    max(accept_threshold_us) FILTER (WHERE place = 1) AS accept_threshold_us,
    max(first_response_threshold_us) FILTER (WHERE place = 1) AS first_response_threshold_us,
    max(finish_threshold_us) FILTER (WHERE place = 1) AS finish_threshold_us,
    bool_or(coalesce(entered_by_day, false)) FILTER (WHERE place = 1) AS entered_by_day,
    min_by(coalesce(accepted_by_day, false), place) FILTER (WHERE accepted_us IS NOT NULL)
        AS accepted_by_day,
    min_by(coalesce(first_response_by_day, false), place) FILTER (WHERE first_response_us IS NOT NULL)
        AS first_response_by_day,
    min_by(coalesce(finished_by_day, false), place) FILTER (WHERE finished_us IS NOT NULL)
        AS finished_by_day,
    bool_or(coalesce(synchronous, contains(:synchronous, media_type))) FILTER (WHERE place = 1)
        AS synchronous,
    dt
FROM (
    SELECT
        tenant, interaction_id, media_type, entered_us, updated_us, received_us,
        customer_segment, service_type, agent, agent_name, customer, offered_us, accepted_us,
        first_response_us, finished_us, abandoned, replies, satisfaction, revenue, currency,
        accept_threshold_us, first_response_threshold_us, finish_threshold_us,
        entered_by_day, accepted_by_day, first_response_by_day, finished_by_day, synchronous, dt,
        row_number() OVER (
            PARTITION BY dt, tenant, interaction_id
            ORDER BY updated_us DESC, received_us DESC, content_hash DESC
        ) AS place
    FROM raw_interactions
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
) AS ranked
GROUP BY tenant, interaction_id, dt

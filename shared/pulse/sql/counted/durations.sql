-- How far each interaction went that counts, and how long it took: a row for each.
-- Parameters: first_day, last_day and the days themselves, as text; synchronous, as counted/interactions.
-- On synchronous media accepting is the first response and the first reply (docs/metrics.md). A milestone
-- of which the day alone is known makes no duration. A duration is negative where a milestone lies before
-- its beginning, as updates that contradict each other may say: it counts as a milestone alone.
SELECT
    tenant, interaction_id, media_type, customer_segment, service_type, agent, currency, dt,
    entered_us, entered_by_day, offered, abandoned, replies, satisfaction, revenue,
    accept_threshold_us, first_response_threshold_us, finish_threshold_us,
    accepted_us IS NOT NULL AS accepted,
    responded_us IS NOT NULL AS responded,
    finished_us IS NOT NULL AS finished,
    CASE WHEN NOT entered_by_day AND NOT accepted_by_day THEN accepted_us - entered_us END
        AS accept_us,
    CASE WHEN NOT entered_by_day AND NOT responded_by_day THEN responded_us - entered_us END
        AS first_response_us,
    CASE WHEN NOT entered_by_day AND NOT finished_by_day THEN finished_us - entered_us END
        AS finish_us,
    CASE WHEN NOT accepted_by_day AND NOT finished_by_day THEN finished_us - accepted_us END
        AS handle_us
FROM (
    SELECT
        tenant, interaction_id, media_type, customer_segment, service_type, agent, currency, dt,
        entered_us, accepted_us, finished_us, satisfaction, revenue,
        entered_by_day, accepted_by_day, finished_by_day,
        accept_threshold_us, first_response_threshold_us, finish_threshold_us,
        offered_us IS NOT NULL OR accepted_us IS NOT NULL AS offered,
        coalesce(abandoned, false) AND accepted_us IS NULL AS abandoned,
        CASE
            WHEN synchronous THEN coalesce(first_response_us, accepted_us)
            ELSE first_response_us
        END AS responded_us,
        CASE
            WHEN first_response_us IS NOT NULL THEN first_response_by_day
            WHEN synchronous THEN accepted_by_day
        END AS responded_by_day,
        CASE
            WHEN synchronous AND accepted_us IS NOT NULL THEN greatest(coalesce(replies, 0), 1)
            ELSE coalesce(replies, 0)
        END AS replies
    FROM (
{counted/interactions}
    ) AS merged
) AS told

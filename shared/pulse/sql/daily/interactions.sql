-- daily_interactions: one row for each tenant, day and combination of dimensions that occurred.
-- Reads raw_interactions. Parameters: first_day, last_day and the days themselves, as text.
-- Each interaction counts once, on the day that it entered; docs/metrics.md says what its milestones
-- are. A milestone of which the day alone is known makes no duration and no level, and neither
-- does one that lies before its beginning, as updates that contradict each other may say: it counts
-- as a milestone alone. No sum of durations can overflow: each is made of decimals and ends at the
-- greatest bigint.
WITH merged AS (
{counted/interactions}
),

told AS (
    SELECT
        tenant, media_type, customer_segment, service_type, agent, currency, dt,
        entered_us, accepted_us, finished_us, satisfaction, revenue,
        entered_by_day, accepted_by_day, finished_by_day,
        accept_threshold_us, first_response_threshold_us, finish_threshold_us,
        offered_us IS NOT NULL OR accepted_us IS NOT NULL AS offered,
        coalesce(abandoned, false) AND accepted_us IS NULL AS abandoned,
        -- on synchronous media accepting is the first response and the first reply
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
    FROM merged
),

timed AS (
    SELECT
        tenant, media_type, customer_segment, service_type, agent, currency, dt,
        offered, abandoned, replies, satisfaction, revenue,
        accept_threshold_us, first_response_threshold_us, finish_threshold_us,
        accepted_us IS NOT NULL AS accepted,
        responded_us IS NOT NULL AS responded,
        finished_us IS NOT NULL AS finished,
        CASE
            WHEN accepted_us >= entered_us AND NOT entered_by_day AND NOT accepted_by_day
                THEN accepted_us - entered_us
        END AS accept_us,
        CASE
            WHEN responded_us >= entered_us AND NOT entered_by_day AND NOT responded_by_day
                THEN responded_us - entered_us
        END AS first_response_us,
        CASE
            WHEN finished_us >= entered_us AND NOT entered_by_day AND NOT finished_by_day
                THEN finished_us - entered_us
        END AS finish_us,
        CASE
            WHEN finished_us >= accepted_us AND NOT accepted_by_day AND NOT finished_by_day
                THEN finished_us - accepted_us
        END AS handle_us
    FROM told
),

added AS (
    SELECT
        tenant, media_type, customer_segment, service_type, agent, currency,
        count(*) AS entered,
        count_if(offered) AS offered,
        count_if(accepted) AS accepted,
        count_if(responded) AS responded,
        count_if(finished) AS finished,
        count_if(abandoned) AS abandoned,
        sum(replies) AS replies,
        count_if(
            offered AND accept_threshold_us IS NOT NULL AND (accept_us IS NOT NULL OR NOT accepted)
        ) AS accept_due,
        count_if(accept_us <= accept_threshold_us) AS accept_met,
        count_if(
            offered AND first_response_threshold_us IS NOT NULL
            AND (first_response_us IS NOT NULL OR NOT responded)
        ) AS first_response_due,
        count_if(offered AND first_response_us <= first_response_threshold_us) AS first_response_met,
        count_if(finish_us IS NOT NULL AND finish_threshold_us IS NOT NULL) AS finish_due,
        count_if(finish_us <= finish_threshold_us) AS finish_met,
        count_if(finished AND responded) AS finished_responded,
        count_if(accepted AND finished) AS handled,
        count(satisfaction) AS with_satisfaction,
        count_if(revenue <> 0) AS with_revenue,
        coalesce(sum(CAST(accept_us AS decimal(38, 0))), 0) AS accept_us,
        coalesce(sum(CAST(first_response_us AS decimal(38, 0))), 0) AS first_response_us,
        coalesce(
            sum(CAST(finish_us AS decimal(38, 0))) FILTER (WHERE responded), 0
        ) AS finish_us,
        coalesce(sum(CAST(handle_us AS decimal(38, 0))), 0) AS handle_us,
        count(accept_us) AS accept_timed,
        count(first_response_us) AS first_response_timed,
        count(finish_us) FILTER (WHERE responded) AS finish_timed,
        count(handle_us) AS handle_timed,
        coalesce(sum(satisfaction), 0) AS satisfaction,
        coalesce(sum(revenue), 0) AS revenue,
        dt
    FROM timed
    GROUP BY tenant, media_type, customer_segment, service_type, agent, currency, dt
)

SELECT
    tenant, media_type, customer_segment, service_type, agent, currency,
    entered, offered, accepted, responded, finished, abandoned, replies,
    accept_due, accept_met, first_response_due, first_response_met, finish_due, finish_met,
    finished_responded, handled, with_satisfaction, with_revenue,
    CAST(least(accept_us, 9223372036854775807) AS bigint) AS accept_us,
    CAST(least(first_response_us, 9223372036854775807) AS bigint) AS first_response_us,
    CAST(least(finish_us, 9223372036854775807) AS bigint) AS finish_us,
    CAST(least(handle_us, 9223372036854775807) AS bigint) AS handle_us,
    accept_timed, first_response_timed, finish_timed, handle_timed,
    satisfaction, revenue,
    dt
FROM added

-- daily_interactions: one row for each tenant, day and combination of dimensions that occurred.
-- Reads raw_interactions. Parameters: first_day, last_day and the days themselves, as text.
-- Each interaction counts once, on the day that it entered; METRICS.md says what its milestones
-- are. Updates may contradict each other: a milestone before its beginning still counts, and
-- took no time. No sum of durations can overflow: each is made of decimals and ends at the
-- greatest bigint.
WITH merged AS (
{counted/interactions}
),

told AS (
    SELECT
        tenant, media_type, customer_segment, service_type, agent, currency, dt,
        entered_us, accepted_us, finished_us, satisfaction, revenue,
        accept_threshold_us, first_response_threshold_us, finish_threshold_us,
        offered_us IS NOT NULL OR accepted_us IS NOT NULL AS offered,
        coalesce(abandoned, false) AND accepted_us IS NULL AS abandoned,
        -- on synchronous media accepting is the first response and the first reply
        CASE
            WHEN media_type IN ('voice', 'chat') THEN coalesce(first_response_us, accepted_us)
            ELSE first_response_us
        END AS responded_us,
        CASE
            WHEN media_type IN ('voice', 'chat') AND accepted_us IS NOT NULL
                THEN greatest(coalesce(replies, 0), 1)
            ELSE coalesce(replies, 0)
        END AS replies
    FROM merged
),

timed AS (
    SELECT
        tenant, media_type, customer_segment, service_type, agent, currency, dt,
        offered, abandoned, replies, satisfaction, revenue,
        accept_threshold_us, first_response_threshold_us, finish_threshold_us,
        greatest(accepted_us - entered_us, 0) AS accept_us,
        greatest(responded_us - entered_us, 0) AS first_response_us,
        greatest(finished_us - entered_us, 0) AS finish_us,
        greatest(finished_us - accepted_us, 0) AS handle_us
    FROM told
),

added AS (
    SELECT
        tenant, media_type, customer_segment, service_type, agent, currency,
        count(*) AS entered,
        count_if(offered) AS offered,
        count(accept_us) AS accepted,
        count(first_response_us) AS responded,
        count(finish_us) AS finished,
        count_if(abandoned) AS abandoned,
        sum(replies) AS replies,
        count_if(offered AND accept_threshold_us IS NOT NULL) AS accept_due,
        count_if(accept_us <= accept_threshold_us) AS accept_met,
        count_if(offered AND first_response_threshold_us IS NOT NULL) AS first_response_due,
        count_if(offered AND first_response_us <= first_response_threshold_us) AS first_response_met,
        count_if(finish_us IS NOT NULL AND finish_threshold_us IS NOT NULL) AS finish_due,
        count_if(finish_us <= finish_threshold_us) AS finish_met,
        count_if(finish_us IS NOT NULL AND first_response_us IS NOT NULL) AS finished_responded,
        count(handle_us) AS handled,
        count(satisfaction) AS with_satisfaction,
        count_if(revenue <> 0) AS with_revenue,
        coalesce(sum(CAST(accept_us AS decimal(38, 0))), 0) AS accept_us,
        coalesce(sum(CAST(first_response_us AS decimal(38, 0))), 0) AS first_response_us,
        coalesce(
            sum(CAST(finish_us AS decimal(38, 0))) FILTER (WHERE first_response_us IS NOT NULL), 0
        ) AS finish_us,
        coalesce(sum(CAST(handle_us AS decimal(38, 0))), 0) AS handle_us,
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
    satisfaction, revenue,
    dt
FROM added

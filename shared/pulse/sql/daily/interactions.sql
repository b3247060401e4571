-- daily_interactions: one row for each tenant, day and combination of dimensions that occurred.
-- Reads raw_interactions. Parameters: first_day, last_day and the days themselves, as text; synchronous,
-- as counted/interactions. Each interaction counts once, on the day that it entered. A negative duration
-- is none (counted/durations), and judges no level. No sum of durations can overflow: each is made of
-- decimals and ends at the greatest bigint.
WITH timed AS (
{counted/durations}
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
            offered AND accept_threshold_us IS NOT NULL AND (accept_us >= 0 OR NOT accepted)
        ) AS accept_due,
        count_if(accept_us BETWEEN 0 AND accept_threshold_us) AS accept_met,
        count_if(
            offered AND first_response_threshold_us IS NOT NULL
            AND (first_response_us >= 0 OR NOT responded)
        ) AS first_response_due,
        count_if(offered AND first_response_us BETWEEN 0 AND first_response_threshold_us)
            AS first_response_met,
        count_if(finish_us >= 0 AND finish_threshold_us IS NOT NULL) AS finish_due,
        count_if(finish_us BETWEEN 0 AND finish_threshold_us) AS finish_met,
        count_if(finished AND responded) AS finished_responded,
        count_if(accepted AND finished) AS handled,
        count(satisfaction) AS with_satisfaction,
        count_if(revenue <> 0) AS with_revenue,
        coalesce(sum(CAST(accept_us AS decimal(38, 0))) FILTER (WHERE accept_us >= 0), 0)
            AS accept_us,
        coalesce(
            sum(CAST(first_response_us AS decimal(38, 0))) FILTER (WHERE first_response_us >= 0), 0
        ) AS first_response_us,
        coalesce(
            sum(CAST(finish_us AS decimal(38, 0))) FILTER (WHERE finish_us >= 0 AND responded), 0
        ) AS finish_us,
        coalesce(sum(CAST(handle_us AS decimal(38, 0))) FILTER (WHERE handle_us >= 0), 0)
            AS handle_us,
        count_if(accept_us >= 0) AS accept_timed,
        count_if(first_response_us >= 0) AS first_response_timed,
        count_if(finish_us >= 0 AND responded) AS finish_timed,
        count_if(handle_us >= 0) AS handle_timed,
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

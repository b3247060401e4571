-- daily_sessions: one row for each tenant, day, agent and medium that occurred.
-- Reads raw_sessions. Parameters: first_day, last_day and the days themselves, as text.
-- A session may have been sent more than once: the last received counts.
-- No sum of durations can overflow: each is made of decimals and ends at the greatest bigint.
WITH ranked AS (
    SELECT
        tenant, agent, media_type, active_us, engaged_us, dt,
        row_number() OVER (
            PARTITION BY dt, tenant, session_id
            ORDER BY received_us DESC, content_hash DESC
        ) AS place
    FROM raw_sessions
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
)

SELECT
    tenant, agent, media_type,
    count(*) AS sessions,
    CAST(
        least(sum(CAST(active_us AS decimal(38, 0))), 9223372036854775807) AS bigint
    ) AS active_us,
    CAST(
        least(sum(CAST(engaged_us AS decimal(38, 0))), 9223372036854775807) AS bigint
    ) AS engaged_us,
    dt
FROM ranked
WHERE place = 1
GROUP BY tenant, agent, media_type, dt

-- How many rows of raw_sessions each day has that a key brought, or a time.
-- Parameters: tenant; key_id, empty for any; from_us, and to_us, which is no longer part of it;
-- first_day and last_day, as text. A purge finds the days with it, and proves that it found all.
SELECT dt, count(*) AS events
FROM raw_sessions
WHERE dt BETWEEN :first_day AND :last_day
    AND tenant = :tenant
    AND received_us >= :from_us
    AND received_us < :to_us
    AND (:key_id = '' OR key_id = :key_id)
GROUP BY dt

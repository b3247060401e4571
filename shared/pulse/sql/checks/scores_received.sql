-- How many answers raw_responses holds of the requests received in a span of time: at least and at
-- most, for a request's items count up to width_us later than the request itself. Copies are
-- counted apart: a message may come twice. Parameters: first_day and last_day as text; from_us,
-- to_us, width_us.
SELECT
    count_if(received_us >= :from_us + :width_us AND received_us < :to_us) AS least,
    count(*) AS most,
    coalesce(sum(copies), 0) AS copies
FROM (
    SELECT received_us, count(*) - 1 AS copies
    FROM raw_responses
    WHERE dt BETWEEN :first_day AND :last_day
        AND received_us >= :from_us
        AND received_us < :to_us + :width_us
    GROUP BY tenant, survey, key_kind, response_id, received_us
) AS received

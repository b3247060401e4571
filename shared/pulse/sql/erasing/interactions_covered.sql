-- How many rows of raw_interactions each day has that carry one of some hashes (tombstones.py).
-- Parameters: tenant; received_us, the latest; hashes, hashes; the texts that hashes begin with;
-- first_day and last_day, as text. Erasing finds the days with it, and proves that it found all.
SELECT dt, count(*) AS events
FROM raw_interactions
WHERE dt BETWEEN :first_day AND :last_day
    AND tenant = :tenant
    AND received_us <= :received_us
    AND (
        contains(:hashes, lower(to_hex(sha256(to_utf8(:customer_prefix || customer)))))
        OR (
            customer IS NULL
            AND contains(:hashes, lower(to_hex(sha256(to_utf8(:interaction_prefix || interaction_id)))))
        )
    )
GROUP BY dt

-- How many rows of raw_interactions name a customer who carries one of some hashes. Grain: such a hash.
-- Parameters: tenant; received_us, the latest; hashes, hashes; customer_prefix, the text that hashes
-- begin with; first_day and last_day, as text. Erasing tells with it whose rows it leaves.
SELECT lower(to_hex(sha256(to_utf8(:customer_prefix || customer)))) AS customer, count(*) AS events
FROM raw_interactions
WHERE dt BETWEEN :first_day AND :last_day
    AND tenant = :tenant
    AND received_us <= :received_us
    AND contains(:hashes, lower(to_hex(sha256(to_utf8(:customer_prefix || customer)))))
GROUP BY lower(to_hex(sha256(to_utf8(:customer_prefix || customer))))

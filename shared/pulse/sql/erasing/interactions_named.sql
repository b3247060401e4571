-- The interactions of which an update in raw_interactions names a customer, as hashes of their ids.
-- Parameters: tenant; received_us, the latest; customer, its mark; the texts that marks begin with;
-- first_day and last_day, as text. Erasing finds with it what does not name the customer itself.
SELECT DISTINCT
    lower(to_hex(sha256(to_utf8(:interaction_prefix || interaction_id)))) AS interaction
FROM raw_interactions
WHERE dt BETWEEN :first_day AND :last_day
    AND tenant = :tenant
    AND received_us <= :received_us
    AND lower(to_hex(sha256(to_utf8(:customer_prefix || customer)))) = :customer

-- What rows of raw_responses that name a customer claim for them: hashes of their identities and,
-- where a server sent them, of the interactions that they name. Grain: one such pair.
-- Parameters: tenant; received_us, the latest; customers, the hashes of the customer's id; the texts
-- that hashes begin with; first_day and last_day, as text. Erasing finds with it what does not name
-- the customer itself.
SELECT DISTINCT
    lower(to_hex(sha256(to_utf8(:response_prefix || dt || '|' || key_kind || '|' || response_id || '|' || survey))))
        AS response,
    CASE WHEN key_kind = 'secret' THEN lower(to_hex(sha256(to_utf8(:interaction_prefix || interaction)))) END
        AS interaction
FROM raw_responses
WHERE dt BETWEEN :first_day AND :last_day
    AND tenant = :tenant
    AND received_us <= :received_us
    AND contains(:customers, lower(to_hex(sha256(to_utf8(:customer_prefix || customer)))))

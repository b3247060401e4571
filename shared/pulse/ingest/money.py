"""Reads revenue: an exact amount and its currency, which must come together.

The currencies are the active codes of ISO 4217's list one, as its maintenance agency SIX publishes
it (January 2026, so with XCG and without BGN), except XTS, which is for tests, and XXX, which means
"no currency".
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pulse.ingest import fields
from pulse.ingest.fields import RejectedError

_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD
XPF XPT XSU XUA YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())

MONEY = Decimal("99999999999999.9999")
"""The largest amount that DECIMAL(18,4) holds."""


def revenue(given: Mapping[str, Any]) -> tuple[str, str] | tuple[None, None]:
    """The optional revenue: its amount as text with four decimals, and its currency."""
    value = given.get("revenue")
    if value is None or value == "":
        return None, None
    if not isinstance(value, dict):
        raise RejectedError(
            "revenue", "revenue_not_object", "revenue must be an object of amount and currency."
        )
    with fields.as_members_of("revenue"):
        fields.check_names(value, ("amount", "currency"))
        amount = fields.required("amount", fields.decimal(value, "amount", -MONEY, MONEY))
        return str(amount), _currency(value)


def _currency(given: Mapping[str, Any]) -> str:
    code = fields.required("currency", fields.text(given, "currency")).upper()
    if code not in CURRENCIES:
        raise RejectedError(
            "currency", "currency_unknown", "currency must be an active ISO 4217 code such as EUR."
        )
    return code

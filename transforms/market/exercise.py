"""When options may be exercised: what their root says of it."""

EUROPEAN = frozenset(
    {
        *("SPX", "SPXW", "SPXPM", "SPXQ", "XSP", "XSPW", "XEO", "DJX", "MXEA", "MXEF"),
        *("VIX", "VIXW", "RUT", "RUTW", "MRUT", "NDX", "NDXP", "XND"),
    }
)
"""Index roots whose options are exercised at expiration only.

Source: the contract specifications of Cboe (S&P, Dow Jones, MSCI, VIX and Russell) and of Nasdaq.
"""

AMERICAN_INDEX = frozenset({"OEX"})
"""Index roots whose options may be exercised on any day, like those of stocks and funds.

Source: Cboe's contract specification of the S&P 100, whose European root is XEO.
"""


def exercise_of(root: str) -> str:
    """Returns how a root is exercised, known or assumed, in words.

    >>> exercise_of("SPXW"), exercise_of("OEX"), exercise_of("AAPL")
    ('European', 'American', 'taken to be American')
    """
    if root in EUROPEAN:
        return "European"
    return "American" if root in AMERICAN_INDEX else "taken to be American"

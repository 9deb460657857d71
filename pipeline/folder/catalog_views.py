"""The views of `catalog.sql` as templates, which `catalog_sql` fills in and puts together."""

HEAD = """\
-- Views over the option Greeks in {folder}
{views}\
--   files           who made each file, when, with how many rows
--
-- Written again at the end of each run. {how}
-- If the folder was moved, set its new place first: SET VARIABLE greeks_folder = '/its/new/place';
-- "right" and "lambda" are words of SQL, and need their quotes.

SET VARIABLE greeks_folder = coalesce(getvariable('greeks_folder'), {literal});
"""
HOW = """\
In a shell: duckdb -init {shell}
-- In Python: duckdb.connect().execute(open({catalog!r}).read())"""
HOW_STORED = """\
In a shell: greeks query "SELECT * FROM files" --output {shell}
-- In DuckDB itself: after LOAD httpfs"""
GREEKS_HEAD = """\
--   greeks          every row, and its order (greeks), ny_time (New York, no zone), trade_date,
--                   dte and solved
--   smiles          what a smile is drawn from: out of the money, solved, with a bid
--   term_structure  at the money: the implied volatility of the strike nearest the underlying
"""
UNDERLYING_HEAD = (
    "--   underlying      each price of the underlying once: symbol, trade_date, when, and in USD\n"
)
STRADDLES_HEAD = (
    "--   straddles       a call and a put of one strike: price, delta, theta, vega of both\n"
)
INTEREST_HEAD = """\
--   open_interest   every row, and trade_date: of the report, about 06:30, so that it is what was
--                   open when the trading day before had ended, and what its own session knows
--   max_pain        the strike at which the open options of an expiration are worth least
"""
EXPOSURE_HEAD = """\
--   gamma_exposure  each row with gamma and its trade date's open interest: in USD, per 1 % move
--                   and per point of the underlying; calls count as bought by dealers, puts as sold
"""
READ_PARQUET = """\
    SELECT *, '{order}' AS greeks FROM read_parquet({paths},
        union_by_name = true, hive_partitioning = false)"""
READ_CSV = """\
    SELECT *, '{order}' AS greeks FROM read_csv({paths},
        header = true, auto_detect = false, hive_partitioning = false,
        columns = {{{types}}})"""
ROWS = """
CREATE OR REPLACE VIEW {view} AS
SELECT
    *,
    timezone('America/New_York', timestamp) AS ny_time,
    CAST(timezone('America/New_York', timestamp) AS DATE) AS trade_date,
    CAST(expiration - CAST(timezone('America/New_York', timestamp) AS DATE) AS INTEGER) AS dte{more}
FROM (
{rows}
);
"""
SOLVED = """,
    -- ThetaData's marks: a volatility of 0 was not solved, an error of 100 had no price; far from
    -- the money it may be 0 without one. A price below a cent is none.
    coalesce(implied_vol > 0 AND abs(iv_error) < 100 AND underlying_price > 0, false)
        AND NOT coalesce({price} < 0.0075, false) AS solved"""
PRICES = {"greeks": "(bid + ask) / 2", "trade_greeks": "price"}
MAX_PAIN = """
CREATE OR REPLACE VIEW max_pain AS
SELECT symbol, expiration, trade_date, strike AS max_pain, paid
FROM (
    SELECT
        settled.symbol, settled.expiration, settled.trade_date, settled.strike,
        sum(held.open_interest * 100 * greatest(
            CASE WHEN held."right" = 'C' THEN settled.strike - held.strike
                ELSE held.strike - settled.strike END, 0
        )) AS paid
    FROM (SELECT DISTINCT symbol, expiration, trade_date, strike FROM open_interest) AS settled
    JOIN open_interest AS held USING (symbol, expiration, trade_date)
    GROUP BY ALL
)
QUALIFY row_number() OVER (
    PARTITION BY symbol, expiration, trade_date ORDER BY paid, strike
) = 1;
"""
EXPOSURE = """
CREATE OR REPLACE VIEW gamma_exposure AS
SELECT
    greeks, symbol, expiration, trade_date, dte, ny_time, strike, "right", gamma, underlying_price,
    interest.open_interest,
    CASE WHEN "right" = 'C' THEN 1 ELSE -1 END
        * gamma * interest.open_interest * 100 * underlying_price AS per_point,
    per_point * underlying_price / 100 AS per_percent
FROM greeks
JOIN (
    SELECT symbol, expiration, trade_date, strike, "right", open_interest FROM open_interest
) AS interest USING (symbol, expiration, trade_date, strike, "right")
WHERE solved AND gamma IS NOT NULL;
"""
VIEWS = """
CREATE OR REPLACE VIEW smiles AS
SELECT
    greeks, symbol, expiration, trade_date, dte, ny_time, strike, "right",
    ln(strike / underlying_price) AS log_moneyness, implied_vol, bid, ask, underlying_price
FROM greeks
WHERE solved AND bid > 0 AND ("right" = 'C') = (strike >= underlying_price);

CREATE OR REPLACE VIEW term_structure AS
SELECT
    greeks, symbol, expiration, trade_date, dte, ny_time, strike,
    avg(implied_vol) AS implied_vol, any_value(underlying_price) AS underlying_price
FROM (
    SELECT * FROM {source}
    WHERE solved
    QUALIFY strike = first_value(strike) OVER (
        PARTITION BY greeks, symbol, expiration, ny_time
        ORDER BY abs(strike - underlying_price), strike
    )
)
GROUP BY ALL;
"""
UNDERLYING = """
CREATE OR REPLACE VIEW underlying AS
SELECT DISTINCT symbol, trade_date, underlying_timestamp, underlying_price
FROM ({sources})
WHERE underlying_price > 0;
"""
STRADDLES = """
CREATE OR REPLACE VIEW straddles AS
SELECT
    greeks, symbol, expiration, trade_date, dte, ny_time, strike,
    sum(bid) AS bid, sum(ask) AS ask, sum(bid + ask) / 2 AS price,
    {sums},
    any_value(underlying_price) AS underlying_price
FROM {source}
WHERE solved
GROUP BY ALL
HAVING count(*) = 2 AND count(DISTINCT "right") = 2;
"""
# A day's last trades are at a time of their own for each contract: there, the day is the time.
BY_DAY = """(
    SELECT * REPLACE (
        CASE WHEN greeks IN ({daily}) THEN CAST(trade_date AS TIMESTAMP) ELSE ny_time END AS ny_time
    ) FROM greeks
)"""
ADDED = ("delta", "theta", "vega", "gamma")
FILES = """
CREATE OR REPLACE VIEW files AS
SELECT
    request->>'symbol' AS symbol,
    CAST(request->>'expiration' AS DATE) AS expiration,
    CAST(request->>'first_trade_date' AS DATE) AS first_trade_date,
    CAST(request->>'last_trade_date' AS DATE) AS last_trade_date,
    request->>'interval' AS "interval",
    greeks, rows, bytes, provisional, dates_with_rows, source, run_id,
    CAST(time AS TIMESTAMPTZ) AS time, sha256
FROM read_parquet(getvariable('greeks_folder') || @INDEX)
WHERE there;
"""
# A glob can't distinguish orders, and CSV files have no types.
LISTED = """\
SET VARIABLE {variable} = (
    SELECT list(
        getvariable('greeks_folder') || '/' || regexp_replace(name, '([[*?])', '[\\1]', 'g')
        ORDER BY name
    )
    FROM read_parquet(getvariable('greeks_folder') || @INDEX)
    WHERE there AND format = '{format}' AND {which}
);
"""

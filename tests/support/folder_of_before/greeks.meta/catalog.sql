-- Views over the option Greeks in data/greeks
--   greeks          every row, and ny_time (New York, no zone), trade_date, dte and solved
--   smiles          what a smile is drawn from: out of the money, solved, with a bid
--   term_structure  at the money: the implied volatility of the strike nearest the underlying
--   straddles       a call and a put of one strike: price, delta, theta, vega of both
--   files           who made each file, when, with how many rows
--
-- Written again at the end of each run. In a shell: duckdb -init data/greeks.meta/catalog.sql
-- In Python: duckdb.connect().execute(open('data/greeks.meta/catalog.sql').read())
-- If the folder was moved, set its new place first: SET VARIABLE greeks_folder = '/its/new/place';
-- "right" and "lambda" are words of SQL, and need their quotes.

SET VARIABLE greeks_folder = coalesce(getvariable('greeks_folder'), '/where/it/was/made/data/greeks');

CREATE OR REPLACE VIEW greeks AS
SELECT
    *,
    timezone('America/New_York', timestamp) AS ny_time,
    CAST(timezone('America/New_York', timestamp) AS DATE) AS trade_date,
    CAST(expiration - CAST(timezone('America/New_York', timestamp) AS DATE) AS INTEGER) AS dte,
    -- ThetaData's marks: a volatility of 0 was not solved, an error of 100 had no price; far from
    -- the money it may be 0 without one. A quote's middle below a cent is none.
    coalesce(implied_vol > 0 AND abs(iv_error) < 100 AND underlying_price > 0, false)
        AND NOT coalesce(bid + ask < 0.015, false) AS solved
FROM (
    SELECT * FROM read_csv([getvariable('greeks_folder') || '/**/*.csv'],
        header = true, auto_detect = false, hive_partitioning = false,
        columns = {'symbol': 'VARCHAR', 'expiration': 'DATE', 'strike': 'DOUBLE', 'right': 'VARCHAR', 'timestamp': 'TIMESTAMPTZ', 'bid': 'DOUBLE', 'ask': 'DOUBLE', 'delta': 'DOUBLE', 'theta': 'DOUBLE', 'vega': 'DOUBLE', 'rho': 'DOUBLE', 'epsilon': 'DOUBLE', 'lambda': 'DOUBLE', 'implied_vol': 'DOUBLE', 'iv_error': 'DOUBLE', 'underlying_timestamp': 'TIMESTAMPTZ', 'underlying_price': 'DOUBLE'})
);

CREATE OR REPLACE VIEW smiles AS
SELECT
    symbol, expiration, trade_date, dte, ny_time, strike, "right",
    ln(strike / underlying_price) AS log_moneyness, implied_vol, bid, ask, underlying_price
FROM greeks
WHERE solved AND bid > 0 AND ("right" = 'C') = (strike >= underlying_price);

CREATE OR REPLACE VIEW term_structure AS
SELECT
    symbol, expiration, trade_date, dte, ny_time, strike,
    avg(implied_vol) AS implied_vol, any_value(underlying_price) AS underlying_price
FROM (
    SELECT * FROM greeks
    WHERE solved
    QUALIFY strike = first_value(strike) OVER (
        PARTITION BY symbol, expiration, ny_time ORDER BY abs(strike - underlying_price), strike
    )
)
GROUP BY ALL;

CREATE OR REPLACE VIEW straddles AS
SELECT
    symbol, expiration, trade_date, dte, ny_time, strike,
    sum(bid) AS bid, sum(ask) AS ask, sum(bid + ask) / 2 AS price,
    sum(delta) AS delta, sum(theta) AS theta, sum(vega) AS vega,
    any_value(underlying_price) AS underlying_price
FROM greeks
WHERE solved
GROUP BY ALL
HAVING count(*) = 2 AND count(DISTINCT "right") = 2;

CREATE OR REPLACE VIEW files AS
SELECT
    request->>'symbol' AS symbol,
    CAST(request->>'expiration' AS DATE) AS expiration,
    CAST(request->>'first_trade_date' AS DATE) AS first_trade_date,
    CAST(request->>'last_trade_date' AS DATE) AS last_trade_date,
    request->>'interval' AS "interval",
    request->>'greeks' AS greeks,
    rows, bytes, provisional, dates_with_rows, source, run_id, time, sha256
FROM read_json(
    getvariable('greeks_folder') || '.meta/files/**/*.json',
    columns = {state: 'VARCHAR', request: 'JSON', rows: 'BIGINT', bytes: 'BIGINT',
               provisional: 'BOOLEAN', dates_with_rows: 'VARCHAR', source: 'VARCHAR',
               run_id: 'VARCHAR', time: 'TIMESTAMPTZ', sha256: 'VARCHAR'}
)
WHERE state = 'committed';

"""Black-Scholes, implied volatility and ThetaData's conventions."""

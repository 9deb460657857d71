"""Black-Scholes, implied volatility, and ThetaData's conventions."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.pricing.black_scholes import greeks as greeks
    from transforms.pricing.black_scholes import price as price
    from transforms.pricing.black_scholes import years_to_expiration as years_to_expiration
    from transforms.pricing.conventions import SOLVER_TOLERANCE as SOLVER_TOLERANCE
    from transforms.pricing.conventions import midpoint as midpoint
else:
    # The model imports SciPy, which a download has no use for.
    __getattr__ = face(
        __name__,
        black_scholes=["greeks", "price", "years_to_expiration"],
        conventions=["SOLVER_TOLERANCE", "midpoint"],
    )

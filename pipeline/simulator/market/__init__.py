"""The simulated market.

Throughout it, strikes are thousandths of a dollar and prices cents. An array of some contracts has
the shape (strikes, 2, instants), calls first; `at` are the instants, of a day's figures one for
each trade date, as `eod.closes` returns them. Trade dates ascend.
"""

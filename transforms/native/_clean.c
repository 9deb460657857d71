/* Looks at a block of rows and counts what is worth knowing, if there is nothing to find in them;
 * and says in which runs they come: rows of one contract whose times follow one another.
 *
 * It is a fast way of what `quality_rules` does, for the blocks that most are: rows of which none
 * breaks a rule. Where one does, or only comes near to it, or holds what is no number, this refuses,
 * and the rules themselves look. So nothing here says what is wrong, and what it lets pass the
 * rules must let pass: tests/transforms/test_clean.py holds one against the other.
 *
 * It does not hold the GIL while it works.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define MOST_GREEKS 32
#define DAY_MS 86400000LL
#define LATEST (1LL << 52) /* ms: no time is later, and none of this overflows */

/* How near to breaking a rule is left to the rules: more than any rounding, less than a cent. */
#define NEAR 1e-6

enum { DELTA = 'd', NEVER_NEGATIVE = 'p' };

enum { UNSOLVED, NO_PRICE, ZERO_GREEKS, ZERO_BIDS, EMPTY, LOCKED, STALE, COUNTS };

typedef struct {
  const double *strike, *bid, *ask, *volatility, *error, *spot;
  const double *price; /* NULL: the middle of the quote */
  const uint8_t *is_call;
  const int64_t *instant, *other;
  Py_ssize_t rows;
  const char *kinds;
  const double *greeks[MOST_GREEKS];
  Py_ssize_t width;
} Rows;

/* What is said besides the counts. */
typedef struct {
  int64_t error_rows; /* of the errors of volatilities, their sizes */
  double error_sum, error_rest, error_most;
  int64_t step; /* between two times of a run, in ms; 0: no runs are asked for */
  int64_t *codes, *firsts, *lengths;
  Py_ssize_t runs;
} Told;

typedef struct {
  int64_t first;      /* date, in days since 1970 */
  int64_t expiration; /* likewise */
  int64_t offset;     /* local time minus UTC at each row, in ms */
  double dividend;    /* of a year, in dollars */
  const int64_t *closes; /* of each date from the first on, in ms since midnight */
  Py_ssize_t count;
} Days;

typedef struct {
  int64_t open, settled, last, stale, ahead; /* ms */
  double rate, at_the_money, tolerance;
} Bounds;

/* What a date says of the rates and dividends that prices may hold. */
typedef struct {
  int64_t midnight, close, left; /* left: days to the expiration */
  double discount, carry, dividends;
} Day;

static int begin_day(Day *day, int64_t local, const Days *days, const Bounds *bounds) {
  int64_t number = local / DAY_MS;
  if (local < 0 || number < days->first || number - days->first >= days->count) return 0;
  if ((number + 3) % 7 >= 5) return 0;
  day->left = days->expiration - number;
  if (day->left < 0) return 0;
  double years = (double)(day->left + 1) / 365;
  day->midnight = number * DAY_MS;
  day->close = days->closes[number - days->first];
  day->discount = exp(-bounds->rate * years);
  day->carry = pow(1.01, years);
  day->dividends = days->dividend * years;
  return 1;
}

/* Whether a price without a volatility is above whatever a rate can make of its intrinsic value. */
static int solvable(const Rows *rows, Py_ssize_t n, double paid, const Day *day) {
  double spot = rows->spot[n], strike = rows->strike[n], least = strike * day->discount;
  double inside, most;
  if (rows->is_call[n]) {
    inside = spot - least;
    most = spot - day->dividends;
  } else {
    inside = strike * day->carry + day->dividends - spot;
    most = least;
  }
  double margin = 0.01 + 0.001 * paid;
  return paid < most - margin + NEAR && paid - fmax(inside, 0) - margin > -NEAR;
}

static int near_the_money(const Rows *rows, Py_ssize_t n, const Day *day) {
  double left = day->left ? (double)day->left : 1.0 / 24;
  double deviation = rows->volatility[n] * sqrt(left / 365);
  return fabs(log(rows->spot[n] / rows->strike[n])) < 3 * deviation + NEAR;
}

/* Neumaier's sum: its error is that of one addition, however many they are. */
static inline void add_error(Told *told, double error) {
  double sum = told->error_sum + error;
  told->error_rest += told->error_sum >= error ? told->error_sum - sum + error
                                               : error - sum + told->error_sum;
  told->error_sum = sum;
  told->error_rows++;
  if (error > told->error_most) told->error_most = error;
}

/* To add this and take it away again rounds what is less than 2^51 to a whole number. */
#define ROUND 0x1.8p52

static inline void add_to_runs(Told *told, double strike, int is_call, int64_t local) {
  int64_t code = (int64_t)(strike * 1000 + ROUND - ROUND) * 2 + !is_call;
  Py_ssize_t n = told->runs - 1;
  if (n >= 0 && told->codes[n] == code &&
      told->firsts[n] + told->lengths[n] * told->step == local) {
    told->lengths[n]++;
    return;
  }
  told->codes[++n] = code;
  told->firsts[n] = local;
  told->lengths[n] = 1;
  told->runs++;
}

/* Returns whether no row comes near to breaking a rule. */
static int look_at_all(
    const Rows *rows, const Days *days, const Bounds *bounds, int64_t *counts, Told *told) {
  Day day = {.midnight = -LATEST};
  for (Py_ssize_t n = 0; n < rows->rows; n++) {
    double strike = rows->strike[n], bid = rows->bid[n], ask = rows->ask[n];
    double volatility = rows->volatility[n], error = rows->error[n], spot = rows->spot[n];
    /* Whatever is compared with a NaN is false. */
    if (!(strike > 0 && strike < 1e9 && spot > 0)) return 0;
    if (!(bid >= 0 && ask >= bid && volatility >= 0)) return 0;
    if (!isfinite(strike + spot + ask + volatility + error)) return 0;

    int all_zero = rows->width > 0;
    for (Py_ssize_t k = 0; k < rows->width; k++) {
      double value = rows->greeks[k][n];
      if (!isfinite(value)) return 0;
      if (rows->kinds[k] == NEVER_NEGATIVE && value < 0) return 0;
      if (rows->kinds[k] == DELTA && (rows->is_call[n] ? !(value >= 0 && value <= 1)
                                                       : !(value <= 0 && value >= -1))) {
        return 0;
      }
      all_zero &= value == 0;
    }

    int64_t instant = rows->instant[n], other = rows->other[n];
    if (instant < 0 || instant > LATEST) return 0;
    int64_t local = instant + days->offset, clock = local - day.midnight;
    if (clock < 0 || clock >= DAY_MS) {
      if (!begin_day(&day, local, days, bounds)) return 0;
      clock = local - day.midnight;
    }
    if (clock < bounds->open || clock > bounds->last) return 0;
    /* The least integer stands for a time that is not known. */
    if (other != INT64_MIN && (other < 0 || other > LATEST)) return 0;
    int64_t age = other == INT64_MIN ? 0 : instant - other;
    if (age < -bounds->ahead) return 0;
    if (age > bounds->stale) {
      int64_t closed = clock > day.close ? clock - day.close : 0;
      if (age - closed > bounds->stale && clock > bounds->open) return 0;
      counts[STALE]++;
    }

    double price = rows->price ? rows->price[n] : floor((bid + ask) * 50 + 1e-6) / 100;
    if (!isfinite(price)) return 0;
    if (bid == 0) {
      counts[ZERO_BIDS]++;
      counts[EMPTY] += ask == 0;
      if (clock >= bounds->settled && clock <= day.close) {
        double inside = (rows->is_call[n] ? spot - strike : strike - spot) - 0.01 * spot;
        if (inside > -NEAR) return 0;
        if (ask == 0 && inside > -(0.01 + bounds->at_the_money) * spot - NEAR) return 0;
      }
    } else {
      counts[LOCKED] += bid == ask;
    }
    if (volatility == 0) {
      counts[UNSOLVED]++;
      if (price > 0 && solvable(rows, n, price, &day)) return 0;
    } else if (error < 100) {
      if (fabs(error) * price - bounds->tolerance - 1.5e-4 * price > -NEAR) return 0;
      if (error > -100) add_error(told, fabs(error));
    }
    counts[NO_PRICE] += error >= 100;
    if (all_zero) {
      counts[ZERO_GREEKS]++;
      if (price > 0 && volatility > 0 && near_the_money(rows, n, &day)) return 0;
    }
    if (told->step) add_to_runs(told, strike, rows->is_call[n], local);
  }
  return 1;
}

/* A buffer of items of a size, one for each row; sets an exception if it is not. */
static const void *items(Py_buffer *view, PyObject *given, Py_ssize_t rows, Py_ssize_t size) {
  if (PyObject_GetBuffer(given, view, PyBUF_SIMPLE) < 0) return NULL;
  if (view->len == rows * size) return view->buf;
  PyErr_SetString(PyExc_ValueError, "a column has not one value for each row");
  return NULL;
}

enum { NUMBERS = 7, FIXED = NUMBERS + 5 };

static PyObject *look(PyObject *Py_UNUSED(module), PyObject *arguments) {
  PyObject *numbers, *greeks, *is_call, *instant, *other, *closes, *room;
  Rows rows;
  Days days;
  Bounds bounds;
  Told told;
  Py_ssize_t size;
  int64_t counts[COUNTS] = {0};
  Py_buffer views[FIXED + MOST_GREEKS], out;
  Py_ssize_t used = 0;
  PyObject *result = NULL;
  memset(views, 0, sizeof views);
  memset(&told, 0, sizeof told);
  out.obj = NULL;
  if (!PyArg_ParseTuple(arguments, "nO!OOO(y#O!)(LLLdO)(LLLLLddd)LO", &rows.rows, &PyTuple_Type,
                        &numbers, &is_call, &instant, &other, &rows.kinds, &size, &PyTuple_Type,
                        &greeks, &days.first, &days.expiration, &days.offset, &days.dividend,
                        &closes, &bounds.open, &bounds.settled, &bounds.last, &bounds.stale,
                        &bounds.ahead, &bounds.rate, &bounds.at_the_money, &bounds.tolerance,
                        &told.step, &room)) {
    return NULL;
  }
  rows.width = PyTuple_GET_SIZE(greeks);
  if (rows.rows < 0 || rows.rows > INT32_MAX || PyTuple_GET_SIZE(numbers) != NUMBERS ||
      rows.width != size || rows.width > MOST_GREEKS || told.step < 0 || told.step > DAY_MS ||
      days.offset <= -DAY_MS || days.offset >= DAY_MS) {
    PyErr_SetString(PyExc_ValueError, "seven columns of numbers, a kind for each of at most 32 "
                                      "Greeks, an offset and a step within a day");
    return NULL;
  }
  const double **places[NUMBERS] = {&rows.strike, &rows.bid,  &rows.ask,  &rows.volatility,
                                    &rows.error,  &rows.spot, &rows.price};
  for (Py_ssize_t n = 0; n < NUMBERS; n++) {
    PyObject *column = PyTuple_GET_ITEM(numbers, n);
    *places[n] = NULL;
    if (n == NUMBERS - 1 && column == Py_None) continue;
    if (!(*places[n] = items(&views[used++], column, rows.rows, sizeof(double)))) goto done;
  }
  if (!(rows.is_call = items(&views[used++], is_call, rows.rows, 1))) goto done;
  if (!(rows.instant = items(&views[used++], instant, rows.rows, sizeof(int64_t)))) goto done;
  if (!(rows.other = items(&views[used++], other, rows.rows, sizeof(int64_t)))) goto done;
  for (Py_ssize_t n = 0; n < rows.width; n++) {
    rows.greeks[n] = items(&views[used++], PyTuple_GET_ITEM(greeks, n), rows.rows, sizeof(double));
    if (!rows.greeks[n]) goto done;
  }
  Py_buffer *view = &views[used++];
  if (PyObject_GetBuffer(closes, view, PyBUF_SIMPLE) < 0) goto done;
  days.closes = view->buf;
  days.count = view->len / (Py_ssize_t)sizeof(int64_t);
  if (told.step) {
    if (PyObject_GetBuffer(room, &out, PyBUF_WRITABLE) < 0) goto done;
    if (out.len / 3 / (Py_ssize_t)sizeof(int64_t) < rows.rows) {
      PyErr_SetString(PyExc_ValueError, "there is no room for as many runs as there are rows");
      goto done;
    }
    told.codes = out.buf;
    told.firsts = told.codes + rows.rows;
    told.lengths = told.firsts + rows.rows;
  }
  int clean;
  Py_BEGIN_ALLOW_THREADS
  clean = look_at_all(&rows, &days, &bounds, counts, &told);
  Py_END_ALLOW_THREADS
  if (clean) {
    result = Py_BuildValue("((LLLLLLL)(Ldd)n)", counts[UNSOLVED], counts[NO_PRICE],
                           counts[ZERO_GREEKS], counts[ZERO_BIDS], counts[EMPTY], counts[LOCKED],
                           counts[STALE], told.error_rows, told.error_sum + told.error_rest,
                           told.error_most, told.runs);
  } else {
    result = Py_NewRef(Py_None);
  }
done:
  while (used--) {
    if (views[used].obj) PyBuffer_Release(&views[used]);
  }
  if (out.obj) PyBuffer_Release(&out);
  return result;
}

/* What it takes and returns is told in _clean.pyi. */
static PyMethodDef METHODS[] = {
    {"look", look, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_clean", "Looks at rows that break no rule.", 0, METHODS,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__clean(void) { return PyModuleDef_Init(&MODULE); }

/* The two inner loops: CSV text to columns, and columns to CSV text.
 *
 * Both are fast ways of what Arrow does, for the text that a Terminal really sends: plain decimals,
 * ISO dates and times, rows of one symbol and one expiration. Whatever is not plainly that they
 * refuse, by returning None, and their callers go Arrow's way, which reads it or raises the error
 * with it. So nothing here has to word an error, and nothing that is accepted may come out otherwise
 * than by Arrow: tests/transforms/thetadata/test_two_readers.py holds one
 * against the other.
 *
 * Neither holds the GIL while it works.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD == 2
#error "a quotient must be rounded once, to a float64"
#endif

#define MOST_PRINTED 128 /* columns */
#define DAY_MS 86400000

static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

/* Days since 1970 and back, by Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms". */

static int64_t days_of(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
  *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
  *year = (int)(years + era * 400 + (*month <= 2));
}

/* ---- text to columns ---- */

/* The kinds of columns: how a cell is read and printed. */
enum {
  SKIPPED = ' ',    /* anything without quotes; nothing */
  SYMBOL = 's',     /* the symbol that was asked for, in quotes or not; nothing */
  EXPIRATION = 'e', /* the expiration that was asked for, likewise */
  RIGHT = 'r',      /* CALL, PUT, C or P, in quotes or not; a byte, C or P */
  DECIMAL = 'd',    /* a plain decimal; a float64, never minus zero */
  INTEGER = 'l',    /* an int64 */
  SHORT = 'i',      /* an int32 */
  KEY_TIME = 'T',   /* a local time of the dates that were asked for; an int64, ms since 1970, UTC */
  TIME = 't',       /* any local time; likewise */
  /* As whole numbers: */
  LETTER = 'c',     /* C or P, in quotes or not; that byte */
  STRIKE = 'k',     /* tenths of a cent; dollars as a float64 */
  KEY_CLOCK = 'm',  /* local ms since midnight of the row's date; as KEY_TIME */
  CLOCK = 'n',      /* likewise; as TIME */
  ROW_DATE = 'y',   /* that date as YYYYMMDD, of those that were asked for; nothing */
};

typedef struct {
  char kind;
  char *out;
  const char *text; /* that every row has */
  Py_ssize_t length;
  int dated;
  char date[10]; /* of the last time or date that was read, and when that day began */
  int64_t midnight;
} Column;

typedef struct {
  int64_t first, last;    /* the dates that a key's time may have, days since 1970 */
  int64_t base;           /* the first day of the offsets */
  const int32_t *offsets; /* local time minus UTC in ms, for each day; INT32_MIN: unknown */
  Py_ssize_t count;
} Days;

static inline unsigned numeral(const char *at) { return (unsigned)(unsigned char)*at - '0'; }

/* Each reads a cell and returns where it ends, or NULL. The text ends with a NUL, which is in no
 * number and in no date, so that none reads past it. */

static inline const char *read_decimal(const char *at, double *out) {
  int negative = *at == '-';
  at += negative;
  const char *start = at;
  uint64_t number = 0;
  unsigned d;
  while ((d = numeral(at)) < 10) number = number * 10 + d, at++;
  Py_ssize_t digits = at - start, decimals = 0;
  if (!digits) return NULL;
  if (*at == '.') {
    const char *point = ++at;
    while ((d = numeral(at)) < 10) number = number * 10 + d, at++;
    decimals = at - point;
    if (!decimals) return NULL;
  }
  /* Both are float64s then, and to divide one by the other rounds once (Clinger, 1990). */
  if (digits + decimals > 18 || number > (1ULL << 53)) return NULL;
  double value = (double)number / POWERS[decimals];
  *out = negative && number ? -value : value;
  return at;
}

static inline const char *read_integer(const char *at, int most, int64_t *out) {
  int negative = *at == '-';
  at += negative;
  const char *start = at;
  int64_t number = 0;
  unsigned d;
  while ((d = numeral(at)) < 10 && at - start < most) number = number * 10 + d, at++;
  if (at == start || numeral(at) < 10) return NULL;
  *out = negative ? -number : number;
  return at;
}

static inline const char *read_same(const char *at, const char *end, const Column *column) {
  int quoted = *at == '"';
  at += quoted;
  if (end - at < column->length + quoted || memcmp(at, column->text, (size_t)column->length)) {
    return NULL;
  }
  at += column->length;
  if (quoted && *at++ != '"') return NULL;
  return at;
}

static inline const char *read_right(const char *at, char *out) {
  int quoted = *at == '"';
  at += quoted;
  *out = *at;
  if (*at == 'C') {
    at += strncmp(at, "CALL", 4) ? 1 : 4;
  } else if (*at == 'P') {
    at += strncmp(at, "PUT", 3) ? 1 : 3;
  } else {
    return NULL;
  }
  if (quoted && *at++ != '"') return NULL;
  return at;
}

/* Two digits, below a limit; 255 if they are not that. */
static inline unsigned pair(const char *at, unsigned limit) {
  unsigned tens = numeral(at), ones = numeral(at + 1), number = tens * 10 + ones;
  return tens < 10 && ones < 10 && number < limit ? number : 255;
}

/* Reads YYYY-MM-DD, or YYYYMMDD if `dash` is 0, and notes when that day begins. */
static inline int begin_day(const char *at, int dash, Column *column, const Days *days) {
  static const int LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  unsigned high = pair(at, 100), low = pair(at + 2, 100), month = pair(at + 4 + dash, 13);
  unsigned day = pair(at + 6 + 2 * dash, 32);
  if (high == 255 || low == 255 || month == 255 || day == 255) return 0;
  if ((dash && (at[4] != '-' || at[7] != '-')) || month == 0 || day == 0) return 0;
  int year = (int)(high * 100 + low);
  int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if ((int)day > LENGTHS[month - 1] + (month == 2 && leap)) return 0;
  int64_t number = days_of(year, (int)month, (int)day);
  if (column->kind != TIME && (number < days->first || number > days->last)) return 0;
  if (number < days->base || number - days->base >= days->count) return 0;
  int32_t offset = days->offsets[number - days->base];
  if (offset == INT32_MIN) return 0;
  column->midnight = number * DAY_MS - offset;
  memcpy(column->date, at, (size_t)(8 + 2 * dash));
  column->dated = 1;
  return 1;
}

static inline const char *read_time(
    const char *at, const char *end, Column *column, const Days *days, int64_t *out) {
  int quoted = *at == '"';
  at += quoted;
  if (end - at < 19) return NULL;
  if (!column->dated || memcmp(at, column->date, 10)) {
    if (!begin_day(at, 1, column, days)) return NULL;
  }
  unsigned hour = pair(at + 11, 24), minute = pair(at + 14, 60), second = pair(at + 17, 60);
  if (hour == 255 || minute == 255 || second == 255) return NULL;
  if ((at[10] != 'T' && at[10] != ' ') || at[13] != ':' || at[16] != ':') return NULL;
  unsigned milliseconds = 0;
  at += 19;
  if (*at == '.') {
    const char *point = ++at;
    unsigned d, scale = 100;
    while ((d = numeral(at)) < 10 && at - point < 3) milliseconds += d * scale, scale /= 10, at++;
    if (at == point || numeral(at) < 10) return NULL;
  }
  if (quoted && *at++ != '"') return NULL;
  *out = column->midnight + ((hour * 60 + minute) * 60 + second) * 1000LL + milliseconds;
  return at;
}

static inline const char *read_row_date(
    const char *at, const char *end, Column *column, const Days *days) {
  if (end - at < 8) return NULL;
  if (!column->dated || memcmp(at, column->date, 8)) {
    if (!begin_day(at, 0, column, days)) return NULL;
  }
  return at + 8;
}

static inline const char *read_clock(const char *at, int64_t *out) {
  at = read_integer(at, 8, out);
  return at && *out >= 0 && *out < DAY_MS ? at : NULL;
}

static inline const char *read_strike(const char *at, double *out) {
  int64_t number;
  at = read_integer(at, 15, &number); /* a float64 has all of these */
  if (!at) return NULL;
  *out = (double)number / 1000.0;
  return at;
}

static inline const char *read_letter(const char *at, char *out) {
  int quoted = *at == '"';
  at += quoted;
  *out = *at;
  if (*at != 'C' && *at != 'P') return NULL;
  at++;
  if (quoted && *at++ != '"') return NULL;
  return at;
}

/* Returns the number of rows, or -1 where a row is not plain or there are too many. */
static Py_ssize_t read_all(
    const char *at, const char *end, Column *columns, Py_ssize_t width, const Column *dated,
    const Days *days, Py_ssize_t most) {
  Py_ssize_t row = 0;
  for (; at < end; row++) {
    if (row == most) return -1;
    for (Py_ssize_t n = 0; n < width; n++) {
      Column *column = columns + n;
      int64_t number;
      switch (column->kind) {
        case DECIMAL: at = read_decimal(at, (double *)column->out + row); break;
        case KEY_TIME:
        case TIME: at = read_time(at, end, column, days, (int64_t *)column->out + row); break;
        case SYMBOL:
        case EXPIRATION: at = read_same(at, end, column); break;
        case RIGHT: at = read_right(at, column->out + row); break;
        case LETTER: at = read_letter(at, column->out + row); break;
        case STRIKE: at = read_strike(at, (double *)column->out + row); break;
        case KEY_CLOCK:
        case CLOCK: at = read_clock(at, (int64_t *)column->out + row); break;
        case ROW_DATE: at = read_row_date(at, end, column, days); break;
        case INTEGER: at = read_integer(at, 18, (int64_t *)column->out + row); break;
        case SHORT:
          at = read_integer(at, 9, &number);
          if (at) ((int32_t *)column->out)[row] = (int32_t)number;
          break;
        default:
          while (at < end && *at != ',' && *at != '\n' && *at != '\r' && *at != '"') at++;
      }
      if (!at) return -1;
      if (n + 1 < width && *at++ != ',') return -1;
    }
    if (dated) {
      /* The date of a row may stand behind its times. */
      for (Py_ssize_t n = 0; n < width; n++) {
        if (columns[n].kind == KEY_CLOCK || columns[n].kind == CLOCK) {
          ((int64_t *)columns[n].out)[row] += dated->midnight;
        }
      }
    }
    if (*at == '\r') at++;
    /* Only the last line of an answer may lack its line feed. */
    if (at < end && *at++ != '\n') return -1;
  }
  return row;
}

static PyObject *read_rows(PyObject *Py_UNUSED(module), PyObject *arguments) {
  const char *kinds, *symbol, *expiration;
  Py_ssize_t width, symbol_size, expiration_size, most, row = -1;
  PyObject *body, *places;
  Py_buffer offsets, out;
  Days days;
  if (!PyArg_ParseTuple(arguments, "Sy#O!(y#y#)(LLLy*)w*n", &body, &kinds, &width, &PyTuple_Type,
                        &places, &symbol, &symbol_size, &expiration, &expiration_size, &days.first,
                        &days.last, &days.base, &offsets, &out, &most)) {
    return NULL;
  }
  Column *columns = NULL;
  const Column *dated = NULL;
  int clocks = 0;
  if (width < 1 || PyTuple_GET_SIZE(places) != width || most < 0) {
    PyErr_SetString(PyExc_ValueError, "a kind and a place for each of at least 1 column");
    goto done;
  }
  columns = PyMem_Calloc((size_t)width, sizeof(Column));
  if (!columns) {
    PyErr_NoMemory();
    goto done;
  }
  for (Py_ssize_t n = 0; n < width; n++) {
    Column *column = columns + n;
    column->kind = kinds[n];
    if (column->kind == SYMBOL) column->text = symbol, column->length = symbol_size;
    if (column->kind == EXPIRATION) column->text = expiration, column->length = expiration_size;
    if (column->kind == ROW_DATE) dated = column;
    if (column->kind == KEY_CLOCK || column->kind == CLOCK) clocks = 1;
    if (column->text || column->kind == SKIPPED || column->kind == ROW_DATE) continue;
    int letter = column->kind == RIGHT || column->kind == LETTER;
    Py_ssize_t item = letter ? 1 : column->kind == SHORT ? 4 : 8;
    Py_ssize_t place = PyLong_AsSsize_t(PyTuple_GET_ITEM(places, n));
    if (PyErr_Occurred()) goto done;
    if (place < 0 || place % item || place > out.len || most > (out.len - place) / item) {
      PyErr_SetString(PyExc_ValueError, "a column does not fit into the buffer");
      goto done;
    }
    column->out = (char *)out.buf + place;
  }
  if (clocks && !dated) {
    PyErr_SetString(PyExc_ValueError, "milliseconds of a day without its date");
    goto done;
  }
  days.offsets = offsets.buf;
  days.count = offsets.len / (Py_ssize_t)sizeof(int32_t);
  Py_BEGIN_ALLOW_THREADS
  const char *text = PyBytes_AS_STRING(body);
  row = read_all(text, text + PyBytes_GET_SIZE(body), columns, width, dated, &days, most);
  Py_END_ALLOW_THREADS
done:
  PyMem_Free(columns);
  PyBuffer_Release(&offsets);
  PyBuffer_Release(&out);
  if (PyErr_Occurred()) return NULL;
  if (row < 0) Py_RETURN_NONE;
  return PyLong_FromSsize_t(row);
}

/* ---- columns to text ---- */

enum { STRING = 'u', DATE = 'D' }; /* besides DECIMAL, INTEGER, SHORT and TIME */

enum { DECIMAL_SIZE = 17, TIME_SIZE = 29, DATE_SIZE = 10, INTEGER_SIZE = 20 };

typedef struct {
  char kind;
  Py_buffer values;  /* of a string its ends */
  Py_buffer letters; /* of a string */
  int64_t date;      /* that `text` begins with */
  int64_t time;      /* that `text` is of */
  int known;
  char text[TIME_SIZE];
} Printed;

static const char PAIRS[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
    "46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091"
    "9293949596979899";

static inline char *print_pair(char *to, unsigned number) {
  memcpy(to, PAIRS + number * 2, 2);
  return to + 2;
}

static inline char *print_whole(char *to, uint64_t number) {
  char digits[INTEGER_SIZE], *from = digits + sizeof digits;
  while (number >= 100) {
    from -= 2;
    print_pair(from, (unsigned)(number % 100));
    number /= 100;
  }
  if (number >= 10) {
    from -= 2;
    print_pair(from, (unsigned)number);
  } else {
    *--from = (char)('0' + number);
  }
  size_t size = (size_t)(digits + sizeof digits - from);
  memcpy(to, from, size);
  return to + size;
}

static inline char *print_integer(char *to, int64_t number) {
  if (number < 0) *to++ = '-';
  return print_whole(to, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

/* Prints a value that is a whole number of 1/10000, or of 1/100000000: `all` of them. The scale is
 * known when this is compiled, so that nothing is divided by what is not. */
static inline char *print_scaled(char *to, uint64_t all, uint64_t scale) {
  uint64_t whole = all / scale;
  unsigned rest = (unsigned)(all % scale);
  to = whole < 10 ? (*to = (char)('0' + whole), to + 1) : print_whole(to, whole);
  if (!rest) return to;
  *to++ = '.';
  if (scale > 10000) {
    to = print_pair(print_pair(to, rest / 1000000), rest / 10000 % 100);
    rest %= 10000;
  }
  to = print_pair(print_pair(to, rest / 100), rest % 100);
  while (to[-1] == '0') to--;
  return to;
}

/* To add this and take it away again rounds what is less than 2^51 to a whole number, as rint does,
 * which is a call of a library where the processor is not known. */
#define ROUND 0x1.8p52

/* A decimal of at most 15 digits is the shortest text of the float64 that is nearest to it. */
static inline char *print_decimal(char *to, double value) {
  double size = fabs(value);
  if (value < 0) *to++ = '-';
  if (size < 1e11) {
    double number = size * 1e4 + ROUND - ROUND;
    if (number / 1e4 == size) return print_scaled(to, (uint64_t)(int64_t)number, 10000);
  }
  if (size < 1e7) {
    double number = size * 1e8 + ROUND - ROUND;
    if (number / 1e8 == size) return print_scaled(to, (uint64_t)(int64_t)number, 100000000);
  }
  return NULL;
}

static char *print_date(char *to, int64_t days) {
  if (days < 0 || days > 2932896) return NULL; /* to the end of the year 9999 */
  int year, month, day;
  date_of(days, &year, &month, &day);
  to = print_pair(print_pair(to, (unsigned)(year / 100)), (unsigned)(year % 100));
  *to++ = '-';
  to = print_pair(to, (unsigned)month);
  *to++ = '-';
  return print_pair(to, (unsigned)day);
}

static inline int print_time(Printed *column, int64_t instant, int64_t shift) {
  if (column->known && instant == column->time) return 1;
  int64_t local = instant + shift, days = local / DAY_MS;
  if (local < 0) return 0;
  if (!column->known || days != column->date) {
    char *to = print_date(column->text, days);
    if (!to) return 0;
    unsigned minutes = (unsigned)((shift < 0 ? -shift : shift) / 60000);
    *to = 'T';
    to[3] = to[6] = to[16] = ':';
    to[9] = '.';
    to[13] = shift < 0 ? '-' : '+';
    print_pair(to + 14, minutes / 60);
    print_pair(to + 17, minutes % 60);
    column->date = days;
    column->known = 1;
  }
  unsigned left = (unsigned)(local - days * DAY_MS), seconds = left / 1000;
  char *to = column->text + 11;
  print_pair(to, seconds / 3600);
  print_pair(to + 3, seconds / 60 % 60);
  print_pair(to + 6, seconds % 60);
  to[9] = (char)('0' + left / 100 % 10);
  print_pair(to + 10, left % 100);
  column->time = instant;
  return 1;
}

static int plain_string(const Printed *column, Py_ssize_t rows) {
  const int32_t *ends = column->values.buf;
  const char *at = (const char *)column->letters.buf + ends[0];
  const char *end = (const char *)column->letters.buf + ends[rows];
  for (; at < end; at++) {
    if (*at == ',' || *at == '"' || *at == '\n' || *at == '\r') return 0;
  }
  return 1;
}

/* Returns where the text ends, or NULL where a cell is not plain. */
static char *print_all(
    char *to, Printed *columns, Py_ssize_t width, Py_ssize_t rows, int64_t shift) {
  for (Py_ssize_t n = 0; n < width; n++) {
    if (columns[n].kind == STRING && !plain_string(columns + n, rows)) return NULL;
  }
  for (Py_ssize_t row = 0; row < rows; row++) {
    for (Py_ssize_t n = 0; n < width; n++) {
      Printed *column = columns + n;
      const void *values = column->values.buf;
      switch (column->kind) {
        case DECIMAL: to = print_decimal(to, ((const double *)values)[row]); break;
        case TIME:
          if (!print_time(column, ((const int64_t *)values)[row], shift)) return NULL;
          memcpy(to, column->text, TIME_SIZE);
          to += TIME_SIZE;
          break;
        case STRING: {
          const int32_t *ends = (const int32_t *)values + row;
          memcpy(to, (const char *)column->letters.buf + ends[0], (size_t)(ends[1] - ends[0]));
          to += ends[1] - ends[0];
          break;
        }
        case DATE: {
          int64_t days = ((const int32_t *)values)[row];
          if (!column->known || days != column->date) {
            if (!print_date(column->text, days)) return NULL;
            column->known = 1;
            column->date = days;
          }
          memcpy(to, column->text, DATE_SIZE);
          to += DATE_SIZE;
          break;
        }
        case SHORT: to = print_integer(to, ((const int32_t *)values)[row]); break;
        default: to = print_integer(to, ((const int64_t *)values)[row]);
      }
      if (!to) return NULL;
      *to++ = ',';
    }
    to[-1] = '\n';
  }
  return to;
}

/* The most bytes that a column's cells may take, or -1 with an exception set. */
static Py_ssize_t most_bytes(const Printed *column, Py_ssize_t rows) {
  Py_ssize_t items = rows, item = 8, size;
  switch (column->kind) {
    case DECIMAL: size = rows * DECIMAL_SIZE; break;
    case TIME: size = rows * TIME_SIZE; break;
    case INTEGER: size = rows * INTEGER_SIZE; break;
    case SHORT: item = 4, size = rows * INTEGER_SIZE; break;
    case DATE: item = 4, size = rows * DATE_SIZE; break;
    case STRING: item = 4, items = rows + 1, size = 0; break;
    default: PyErr_SetString(PyExc_ValueError, "no such kind of column"); return -1;
  }
  if (column->values.len / item < items) {
    PyErr_SetString(PyExc_ValueError, "a column has too few values");
    return -1;
  }
  if (column->kind == STRING) {
    const int32_t *ends = column->values.buf;
    for (Py_ssize_t row = 0; row < rows; row++) {
      if (ends[row] < 0 || ends[row + 1] < ends[row] || ends[row + 1] > column->letters.len) {
        PyErr_SetString(PyExc_ValueError, "a string does not end where it should");
        return -1;
      }
    }
    size = ends[rows] - ends[0];
  }
  return size + rows;
}

static PyObject *print_rows(PyObject *Py_UNUSED(module), PyObject *arguments) {
  PyObject *given, *out, *result = NULL;
  Py_ssize_t rows, used = 0, size = 0;
  long long shift;
  Printed columns[MOST_PRINTED];
  if (!PyArg_ParseTuple(arguments, "O!nLO!", &PyTuple_Type, &given, &rows, &shift,
                        &PyByteArray_Type, &out)) {
    return NULL;
  }
  Py_ssize_t width = PyTuple_GET_SIZE(given);
  if (width < 1 || width > MOST_PRINTED || rows < 0 || rows > INT32_MAX || shift % 60000 ||
      shift <= -DAY_MS || shift >= DAY_MS) {
    PyErr_SetString(PyExc_ValueError, "1 to 128 columns, and a shift of minutes within a day");
    return NULL;
  }
  memset(columns, 0, sizeof columns);
  for (; used < width; used++) {
    Printed *column = columns + used;
    int kind;
    if (!PyArg_ParseTuple(PyTuple_GET_ITEM(given, used), "Cy*z*", &kind, &column->values,
                          &column->letters)) {
      goto done;
    }
    column->kind = (char)kind;
    Py_ssize_t most = most_bytes(column, rows);
    if (most < 0) {
      used++;
      goto done;
    }
    size += most;
  }
  /* It fails where somebody still looks at what was printed before. */
  if (PyByteArray_GET_SIZE(out) < size && PyByteArray_Resize(out, size) < 0) goto done;
  /* And now nobody can resize it while it is written to without the GIL. */
  Py_buffer text;
  if (PyObject_GetBuffer(out, &text, PyBUF_WRITABLE) < 0) goto done;
  char *end;
  Py_BEGIN_ALLOW_THREADS
  end = print_all(text.buf, columns, width, rows, shift);
  Py_END_ALLOW_THREADS
  if (end) {
    result = PyLong_FromSsize_t(end - (char *)text.buf);
  } else {
    result = Py_NewRef(Py_None);
  }
  PyBuffer_Release(&text);
done:
  while (used--) {
    PyBuffer_Release(&columns[used].values);
    if (columns[used].letters.obj) PyBuffer_Release(&columns[used].letters);
  }
  return result;
}

/* ---- lines ---- */

static PyObject *count_lines(PyObject *Py_UNUSED(module), PyObject *given) {
  Py_buffer text;
  Py_ssize_t lines = 0;
  if (PyObject_GetBuffer(given, &text, PyBUF_SIMPLE) < 0) return NULL;
  Py_BEGIN_ALLOW_THREADS
  const char *at = text.buf, *end = at + text.len;
  while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) at++, lines++;
  Py_END_ALLOW_THREADS
  PyBuffer_Release(&text);
  return PyLong_FromSsize_t(lines);
}

/* _text.pyi documents what they take and return. */
static PyMethodDef METHODS[] = {
    {"count_lines", count_lines, METH_O, NULL},
    {"print_rows", print_rows, METH_VARARGS, NULL},
    {"read_rows", read_rows, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_text", "CSV text to columns, and columns to CSV text.", 0, METHODS,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__text(void) { return PyModuleDef_Init(&MODULE); }

/*
 * time.c
 *		RFC 3339 and xsd:dateTime to microseconds and back (see text.h).
 *
 * The calendar is the proleptic Gregorian one, computed here: the C
 * library's functions depend on the time zone and the platform.
 */
#include "core/text.h"


#define MICROS_PER_SECOND INT64_C(1000000)
#define MICROS_PER_DAY (INT64_C(86400) * MICROS_PER_SECOND)

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z */
#define MICROS_MIN (INT64_C(-719162) * MICROS_PER_DAY)
#define MICROS_MAX (INT64_C(2932897) * MICROS_PER_DAY - 1)

/* Days from 1970-01-01 to a date: years are counted from March so that the leap day is the last. */
static int64_t
days_from_date(int64_t year, int month, int day)
{
	int64_t		y = month <= 2 ? year - 1 : year;
	int64_t		era = (y >= 0 ? y : y - 399) / 400;
	int64_t		year_of_era = y - era * 400;
	int64_t		day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void
date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t		z = days + 719468;
	int64_t		era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t		day_of_era = z - era * 146097;
	int64_t		year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t		day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t		m = (5 * day_of_year + 2) / 153;

	*day = (int) (day_of_year - (153 * m + 2) / 5 + 1);
	*month = (int) (m < 10 ? m + 3 : m - 9);
	*year = (int) (year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* A reader over the text; any mismatch sets bad, after which nothing matters. */
typedef struct Reader
{
	const char *p;
	const char *end;
	bool		bad;
} Reader;

static int
digits(Reader *r, int n)
{
	int			value = 0;

	for (int i = 0; i < n; i++)
	{
		if (r->p >= r->end || *r->p < '0' || *r->p > '9')
		{
			r->bad = true;
			return 0;
		}
		value = value * 10 + (*r->p++ - '0');
	}
	return value;
}

/* Is the next byte one of two?  Steps over it. */
static bool
accept(Reader *r, char a, char b)
{
	if (r->p >= r->end || (*r->p != a && *r->p != b))
		return false;
	r->p++;
	return true;
}

static void
expect(Reader *r, char a, char b)
{
	if (!accept(r, a, b))
		r->bad = true;
}

/* "." and at least one digit, if it is there; digits past the sixth are cut off. */
static int64_t
fraction(Reader *r)
{
	int64_t		scale = MICROS_PER_SECOND;
	int64_t		micros = 0;

	if (!accept(r, '.', '.'))
		return 0;
	do
	{
		int			digit = digits(r, 1);

		scale /= 10;
		micros += digit * scale;
	} while (!r->bad && r->p < r->end && *r->p >= '0' && *r->p <= '9');
	return micros;
}

/* Seconds east of UTC; a missing zone is UTC. */
static int
zone(Reader *r)
{
	bool		west;
	int			hours;
	int			minutes;

	if (r->p == r->end || accept(r, 'Z', 'z'))
		return 0;
	west = *r->p == '-';
	expect(r, '+', '-');
	hours = digits(r, 2);
	expect(r, ':', ':');
	minutes = digits(r, 2);
	if (hours > 23 || minutes > 59)
		r->bad = true;
	return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/*
 * RFC 3339 section 5.6 allows second 60 (a leap second), XML Schema part 2
 * section 3.2.7 hour 24 at 24:00:00; both are the first instant after.
 */
bool
scim_time_parse(ScimStr text, int64_t *micros)
{
	Reader		r = {text.ptr, text.len > 0 ? text.ptr + text.len : text.ptr, false};
	int			year = digits(&r, 4);
	int			month;
	int			day;
	int			hour;
	int			minute;
	int			second;
	int64_t		result;

	expect(&r, '-', '-');
	month = digits(&r, 2);
	expect(&r, '-', '-');
	day = digits(&r, 2);
	expect(&r, 'T', 't');
	hour = digits(&r, 2);
	expect(&r, ':', ':');
	minute = digits(&r, 2);
	expect(&r, ':', ':');
	second = digits(&r, 2);
	if (r.bad || year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	result = fraction(&r);
	if (hour > 24 || minute > 59 || second > 60 ||
		(hour == 24 && (minute > 0 || second > 0 || result > 0)))
		return false;
	result += ((int64_t) hour * 3600 + minute * 60 + second - zone(&r)) * MICROS_PER_SECOND;
	result += days_from_date(year, month, day) * MICROS_PER_DAY;
	if (r.bad || r.p != r.end || result < MICROS_MIN || result > MICROS_MAX)
		return false;
	*micros = result;
	return true;
}

/* The number in so many digits, and what follows it; gives the place after. */
static char *
put_digits(char *out, int number, int n, char after)
{
	for (int i = n - 1; i >= 0; i--, number /= 10)
		out[i] = (char) ('0' + number % 10);
	out[n] = after;
	return out + n + 1;
}

void
scim_time_format(int64_t micros, bool always_fraction, char out[SCIM_TIME_SIZE])
{
	int64_t		days;
	int64_t		rest;
	int			second;
	int			year;
	int			month;
	int			day;

	if (micros < MICROS_MIN)
		micros = MICROS_MIN;
	if (micros > MICROS_MAX)
		micros = MICROS_MAX;
	days = micros / MICROS_PER_DAY - (micros % MICROS_PER_DAY < 0 ? 1 : 0);
	rest = micros - days * MICROS_PER_DAY;
	second = (int) (rest / MICROS_PER_SECOND);
	date_from_days(days, &year, &month, &day);
	out = put_digits(out, year, 4, '-');
	out = put_digits(out, month, 2, '-');
	out = put_digits(out, day, 2, 'T');
	out = put_digits(out, second / 3600, 2, ':');
	out = put_digits(out, second / 60 % 60, 2, ':');
	rest %= MICROS_PER_SECOND;
	if (rest != 0 || always_fraction)
	{
		out = put_digits(out, second % 60, 2, '.');
		out = put_digits(out, (int) rest, 6, 'Z');
	}
	else
		out = put_digits(out, second % 60, 2, 'Z');
	*out = '\0';
}

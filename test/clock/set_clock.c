/*
 * set_clock.c
 *		A clock for a private server that a test can set while it runs:
 *		preloaded (LD_PRELOAD), it replaces gettimeofday(), time() and
 *		CLOCK_REALTIME.
 *
 * CLOCK_FILE names a file of two 64-bit integers in the machine's byte order,
 * mapped once and read at each call: whether the clock stands still, and
 * microseconds.  Standing, it shows them as the time since 1970; going, it
 * is ahead of the true time by them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *clock_file;

__attribute__((constructor))
static void
map_clock_file(void)
{
	const char *name = getenv("CLOCK_FILE");
	int			fd = name == NULL ? -1 : open(name, O_RDONLY);
	void	   *map = fd < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		abort();
	close(fd);
	clock_file = map;
}

static int
real_clock(clockid_t clock, struct timespec *now)
{
	return (int) syscall(SYS_clock_gettime, clock, now);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int			result = real_clock(clock, now);
	int64_t		nanos = now->tv_nsec;
	int64_t		micros = clock_file[1];

	if (result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
		return result;
	if (!clock_file[0])
		micros += (int64_t) now->tv_sec * 1000000 + nanos / 1000;
	now->tv_sec = micros / 1000000;
	now->tv_nsec = micros % 1000000 * 1000;
	return 0;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;
	int			result = clock_gettime(CLOCK_REALTIME, &precise);

	(void) zone;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return result;
}

time_t
time(time_t *result)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (result != NULL)
		*result = now.tv_sec;
	return now.tv_sec;
}

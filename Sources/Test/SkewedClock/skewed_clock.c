#define _GNU_SOURCE
#include "skewed_clock.h"

#ifdef __linux__
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static time_t ahead = 0;

__attribute__((constructor)) static void begin(void) {
    const char *seconds = getenv("SKEWED_CLOCK");
    if (seconds) ahead = atol(seconds);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += ahead;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    struct timespec time;
    int failed = clock_gettime(CLOCK_REALTIME, &time);
    if (!failed) {
        now->tv_sec = time.tv_sec;
        now->tv_usec = time.tv_nsec / 1000;
    }
    return failed;
}

int timespec_get(struct timespec *now, int base) {
    if (base != TIME_UTC || clock_gettime(CLOCK_REALTIME, now)) return 0;
    return base;
}

// Who waits until a moment has it from the clock above. The kernel goes by its own: there it is earlier, or later. A moment
// of a clock that began when the machine did is left alone.
static struct timespec real(const struct timespec *moment) {
    struct timespec time = *moment;
    if (time.tv_sec > 1000000000) time.tv_sec -= ahead;
    return time;
}

#define WAIT(name, first, second)                                                                                      \
    int name(first a, second b, const struct timespec *moment) {                                                       \
        static int (*next)(first, second, const struct timespec *);                                                    \
        if (!next) next = (int (*)(first, second, const struct timespec *))dlsym(RTLD_NEXT, #name);                    \
        struct timespec time = real(moment);                                                                           \
        return next(a, b, &time);                                                                                      \
    }
#define WAIT_FOR(name, first)                                                                                          \
    int name(first a, const struct timespec *moment) {                                                                 \
        static int (*next)(first, const struct timespec *);                                                            \
        if (!next) next = (int (*)(first, const struct timespec *))dlsym(RTLD_NEXT, #name);                            \
        struct timespec time = real(moment);                                                                           \
        return next(a, &time);                                                                                         \
    }

WAIT(pthread_cond_timedwait, pthread_cond_t *, pthread_mutex_t *)
WAIT(cnd_timedwait, cnd_t *, mtx_t *)
WAIT_FOR(pthread_mutex_timedlock, pthread_mutex_t *)
WAIT_FOR(mtx_timedlock, mtx_t *)
WAIT_FOR(sem_timedwait, sem_t *)

time_t time(time_t *now) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    if (now) *now = time.tv_sec;
    return time.tv_sec;
}
#endif

// Declarations that libstdc++, built for glibc, needs from the C library and that musl lacks: for
// compiling its headers against musl's, not for running.
#pragma once

#include <features.h>
#include <time.h>

#define __GLIBC_PREREQ(major, minor) 0
#define __locale_t locale_t
#define _ISupper 0x001
#define _ISlower 0x002
#define _ISalpha 0x004
#define _ISdigit 0x008
#define _ISxdigit 0x010
#define _ISspace 0x020
#define _ISprint 0x040
#define _IScntrl 0x080
#define _ISpunct 0x100
#define _ISblank 0x200

#include <pthread.h>

extern "C" int pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*, clockid_t,
                                      const timespec*);
extern "C" int pthread_mutex_clocklock(pthread_mutex_t*, clockid_t, const timespec*);

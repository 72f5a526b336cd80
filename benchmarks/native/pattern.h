/* The bytes every body is made of, so that both ends can compare instead of keeping copies. Python: backend.pattern(). */
#ifndef PATTERN_H
#define PATTERN_H
#include <stddef.h>

#define PERIOD 65521 /* prime: a lost or doubled buffer shifts the rest */
#define REPEATS 17

static char pattern[PERIOD * REPEATS];

static void make_pattern(void) {
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (char)(33 + (i % PERIOD * 31 + i % PERIOD / 97) % 94);
}

#endif

/* Days are counted by the civil calendar: years begin in March, so that the leap day is the last. */
#include "clock.h"

#include <stdio.h>

/* `count` digits as a number; -1 if they are none. */
static int number(const char *text, size_t length, size_t at, size_t count) {
    int value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= length || text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int64_t days_before(int year, int month, int day) {
    int from_march = (month + 9) % 12;
    int64_t y = month < 3 ? year - 1 : year;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

static bool is_day(int year, int month, int day) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1] + (month == 2 && leap);
}

/* Milliseconds of ".123456789", of which `*at` is moved to the end; -1 if there is a point and no digit. */
static int fraction(const char *text, size_t length, size_t *at) {
    int ms = 0;
    size_t digits = 0;
    if (*at >= length || text[*at] != '.')
        return 0;
    for ((*at)++; *at < length && digits < 9 && text[*at] >= '0' && text[*at] <= '9'; (*at)++, digits++)
        if (digits < 3)
            ms = ms * 10 + (text[*at] - '0');
    for (size_t i = digits; i < 3; i++)
        ms *= 10;
    return digits == 0 ? -1 : ms;
}

bool clock_parse(const char *text, size_t length, uint64_t *epoch_ms) {
    if (length < 19 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' ||
        text[16] != ':')
        return false;
    int year = number(text, length, 0, 4);
    int month = number(text, length, 5, 2);
    int day = number(text, length, 8, 2);
    int hour = number(text, length, 11, 2);
    int minute = number(text, length, 14, 2);
    int second = number(text, length, 17, 2);
    size_t at = 19;
    int ms = fraction(text, length, &at);
    if (at < length && text[at] == 'Z')
        at++;
    if (at != length || year < 1970 || year > 2105 || !is_day(year, month, day) || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 59 || ms < 0)
        return false;
    int64_t seconds = ((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *epoch_ms = (uint64_t)(seconds * 1000 + ms);
    return true;
}

void clock_format(uint64_t epoch_ms, char text[CLOCK_TEXT]) {
    uint64_t seconds = epoch_ms / 1000;
    int64_t days = (int64_t)(seconds / 86400);
    unsigned in_day = (unsigned)(seconds % 86400);
    int year = 1970;
    int month = 1;
    while (year < 9999 && days_before(year + 1, 1, 1) <= days)
        year++;
    while (month < 12 && days_before(year, month + 1, 1) <= days)
        month++;
    unsigned day = (unsigned)(days - days_before(year, month, 1) + 1);
    snprintf(text, CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000U, (unsigned)month % 100U,
             day % 100U, in_day / 3600 % 24U, in_day / 60 % 60, in_day % 60, (unsigned)(epoch_ms % 1000));
}

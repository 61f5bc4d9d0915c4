/* The one file with calls of the operating system: files as flash, a pty or UDP as link. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#define TX_QUEUE 16384 /* bytes: what a board's driver for the serial line would hold */
#define LIFE "MENSHEN_NODE_LIFE"

static struct {
    const struct options *options;
    char **arguments;
    uint8_t *flash; /* inverted, so that a new file full of holes is erased flash */
    bool resumed;
    struct world *world;
    int link;
    int terminal; /* our own hold on the pty's other end: without it reads fail while nobody has it open */
    struct sockaddr_storage hub;
    struct sockaddr_storage sender;
    socklen_t hub_length;
    socklen_t sender_length;
    uint8_t tx[TX_QUEUE];
    size_t tx_length;
    uint64_t paced_at; /* ns up to which the line's time is used, each way */
    uint64_t read_at;
    uint64_t began; /* ns */
    uint64_t manual_now;
    uint32_t manual_left; /* ms of a tick that are to pass */
    int ticking;          /* 1 until its end was told */
    enum port_why why;
    uint64_t until_cut;
    bool button;
    bool relay;
    bool sick;
    char command[256];
    size_t command_length;
} host;

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(EXIT_USAGE);
}

/* ---- Life: a reset starts the program anew, with the same link and the rest of what was under way. ---- */

static bool resume(void) {
    const char *life = getenv(LIFE);
    int why;
    if (life == NULL ||
        sscanf(life, "%d %d %d %lu %u %d", &host.link, &host.terminal, &why, &host.until_cut, &host.manual_left,
               &host.ticking) != 6)
        return false;
    host.why = (enum port_why)why;
    return true;
}

void port_reset(enum port_why why) {
    char life[96];
    snprintf(life, sizeof life, "%d %d %d %lu %u %d", host.link, host.terminal, (int)why, host.until_cut,
             host.manual_left, host.ticking);
    setenv(LIFE, life, 1);
    execv("/proc/self/exe", host.arguments);
    fail("execv");
}

enum port_why port_why(void) { return host.why; }

void host_power_cut(void) {
    fprintf(stderr, "power lost\n");
    _exit(EXIT_POWER_CUT);
}

/* ---- Time ---- */

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t host_now(void) {
    if (host.options->manual_clock)
        return host.manual_now;
    return (uint64_t)((double)(nanoseconds() - host.began) * (1 + host.options->faults.drift / 1e6) / 1e6);
}

void host_tick(uint32_t ms) {
    host.manual_left += ms;
    host.ticking = 1;
}

/* ---- Flash ---- */

static size_t flash_size(void) {
    size_t sectors = 0;
    for (int area = 0; area < AREA_COUNT; area++)
        sectors += area_sectors((enum port_area)area);
    return sectors * FLASH_SECTOR;
}

static uint8_t *flash_at(enum port_area area, uint32_t offset, size_t length) {
    size_t before = 0;
    for (int i = 0; i < (int)area; i++)
        before += area_sectors((enum port_area)i);
    if (offset > area_sectors(area) * FLASH_SECTOR || length > area_sectors(area) * FLASH_SECTOR - offset)
        abort(); /* a fault of the node: beyond its area */
    return host.flash + before * FLASH_SECTOR + offset;
}

/* One step that a power cut can come after; true if it comes now. */
static bool cut_comes(void) { return host.until_cut > 0 && --host.until_cut == 0; }

void port_flash_read(enum port_area area, uint32_t offset, void *data, size_t length) {
    const uint8_t *from = flash_at(area, offset, length);
    uint8_t *to = data;
    for (size_t i = 0; i < length; i++)
        to[i] = (uint8_t)~from[i];
}

void port_flash_write(enum port_area area, uint32_t offset, const void *data, size_t length) {
    uint8_t *to = flash_at(area, offset, length);
    const uint8_t *from = data;
    if (offset % FLASH_UNIT != 0 || length % FLASH_UNIT != 0)
        abort(); /* a fault of the node: not whole units */
    for (size_t i = 0; i < length; i++)
        if (to[i] != 0)
            abort(); /* a fault of the node: written twice without erasing */
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)~from[i];
        bool cut = cut_comes();
        if (cut)
            byte &= (uint8_t)random_next(); /* the last byte gets some of its bits */
        if (host.options->faults.wrong_hash && area == AREA_SPARE && offset + i == 64)
            byte ^= 1;
        to[i] = byte;
        if (cut)
            host_power_cut();
    }
}

void port_flash_erase(enum port_area area, uint32_t sector) {
    uint8_t *at = flash_at(area, sector * FLASH_SECTOR, FLASH_SECTOR);
    size_t first = random_next() % 2 * FLASH_SECTOR / 2; /* which half loses its charge first is not known */
    memset(at + first, 0, FLASH_SECTOR / 2);
    if (cut_comes())
        host_power_cut();
    memset(at, 0, FLASH_SECTOR);
    if (cut_comes())
        host_power_cut();
}

static void *map_file(const char *name, size_t size, bool *is_new) {
    char path[4096];
    struct stat found;
    snprintf(path, sizeof path, "%s/%s", host.options->state, name);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || fstat(file, &found) != 0 || ftruncate(file, (off_t)size) != 0)
        fail(path);
    *is_new = found.st_size == 0;
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        fail(path);
    close(file);
    return mapped;
}

void host_arm_power_cut(void) {
    if (!host.resumed)
        host.until_cut = host.options->faults.power_cut;
}

/* ---- Link ---- */

static void set_nonblocking(int file) { fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK); }

static void open_pty(void) {
    char name[128];
    char line[160];
    struct termios raw;
    if (openpty(&host.link, &host.terminal, name, NULL, NULL) != 0)
        fail("openpty");
    tcgetattr(host.terminal, &raw);
    cfmakeraw(&raw);
    tcsetattr(host.terminal, TCSANOW, &raw);
    snprintf(line, sizeof line, "%s", name);
    host_say(line);
}

static void find_hub(void) {
    char port[8];
    struct addrinfo *found;
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    snprintf(port, sizeof port, "%u", host.options->hub_port);
    if (getaddrinfo(host.options->hub_host, port, &hints, &found) != 0) {
        fprintf(stderr, "unknown host\n");
        exit(EXIT_USAGE);
    }
    memcpy(&host.hub, found->ai_addr, found->ai_addrlen);
    host.hub_length = found->ai_addrlen;
    freeaddrinfo(found);
}

static void open_udp(void) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    char line[64];
    host.link = socket(AF_INET, SOCK_DGRAM, 0);
    if (host.link < 0 || bind(host.link, (struct sockaddr *)&own, sizeof own) != 0 ||
        getsockname(host.link, (struct sockaddr *)&own, &length) != 0)
        fail("socket");
    snprintf(line, sizeof line, "udp %u", ntohs(own.sin_port));
    host_say(line);
}

bool port_is_serial(void) { return host.options->serial; }

/* How many bytes the line carries by now, at ten bits to a byte; `*used` is the time that they take. */
static size_t paced(uint64_t *used, size_t wanted) {
    unsigned baud = host.options->baud;
    if (baud == 0)
        return wanted;
    uint64_t now = nanoseconds();
    uint64_t per_byte = 10000000000U / baud;
    if (*used + 20000000U < now) /* an idle line saves up no more than 20 ms */
        *used = now - 20000000U;
    uint64_t carried = *used < now ? (now - *used) / per_byte : 0;
    size_t count = carried < wanted ? (size_t)carried : wanted;
    *used += count * per_byte;
    return count;
}

static size_t disturb(uint8_t *data, size_t length, bool bytes) {
    const struct faults *faults = &host.options->faults;
    if (!bytes) {
        if (length > 0 && random_chance(faults->garble))
            data[random_next() % length] ^= (uint8_t)(1 + random_next() % 255);
        return random_chance(faults->drop) ? 0 : length;
    }
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (random_chance(faults->drop))
            continue;
        data[kept++] = random_chance(faults->garble) ? (uint8_t)random_next() : data[i];
    }
    return kept;
}

static size_t receive_serial(uint8_t *data, size_t capacity) {
    uint64_t before = host.read_at;
    size_t wanted = paced(&host.read_at, capacity);
    ssize_t count = wanted == 0 ? 0 : read(host.link, data, wanted);
    size_t came = count < 0 ? 0 : (size_t)count;
    if (host.options->baud != 0 && came < wanted) /* the line was idle for the rest */
        host.read_at = before + (host.read_at - before) * came / wanted;
    return disturb(data, came, true);
}

size_t port_receive(uint8_t *data, size_t capacity) {
    if (host.options->serial)
        return receive_serial(data, capacity);
    for (;;) {
        host.sender_length = sizeof host.sender;
        ssize_t count = recvfrom(host.link, data, capacity, 0, (struct sockaddr *)&host.sender, &host.sender_length);
        if (count < 0 && errno == ECONNREFUSED)
            continue; /* the hub was away when something was sent: no news */
        if (count < 0)
            return 0;
        size_t length = disturb(data, (size_t)count, false);
        if (length > 0)
            return length;
    }
}

static void flush(void) {
    size_t count = paced(&host.paced_at, host.tx_length);
    if (count == 0)
        return;
    ssize_t written = write(host.link, host.tx, count);
    if (written < 0)
        written = errno == EAGAIN ? (ssize_t)count : 0; /* nobody reads: a real line would lose it too */
    host.tx_length -= (size_t)written;
    memmove(host.tx, host.tx + written, host.tx_length);
}

size_t port_room(void) { return host.options->serial ? TX_QUEUE - host.tx_length : SMP_FRAME_MAX; }

void port_send(const uint8_t *data, size_t length, bool answer) {
    uint8_t copy[SMP_FRAME_MAX];
    if (host.options->serial) {
        if (length > TX_QUEUE - host.tx_length)
            return;
        memcpy(host.tx + host.tx_length, data, length);
        host.tx_length += disturb(host.tx + host.tx_length, length, true);
        flush();
        return;
    }
    if (length > sizeof copy)
        return;
    memcpy(copy, data, length);
    length = disturb(copy, length, false);
    bool to_sender = answer && host.sender_length > 0;
    if (length > 0)
        sendto(host.link, copy, length, 0, (struct sockaddr *)(to_sender ? &host.sender : &host.hub),
               to_sender ? host.sender_length : host.hub_length);
}

void port_print(const char *text) {
    fprintf(stderr, "%s\n", text);
    if (host.options->serial) {
        port_send((const uint8_t *)text, strlen(text), false);
        port_send((const uint8_t *)"\r\n", 2, false);
    }
}

/* ---- Sensors and outputs ---- */

struct world *host_world(void) { return host.world; }

bool port_door_open(void) { return world_door(host.world, host_now()); }

void port_field(int32_t nanotesla[3]) {
    world_field(host.world, host_now(), nanotesla);
    if (host.sick)
        nanotesla[0] = 900000;
}

void host_make_sick(void) { host.sick = true; }

int port_battery(void) { return host.world->battery; }

void port_relay(bool on) { host.relay = on; }

bool host_relay(void) { return host.relay; }

void host_press_button(void) { host.button = true; }

bool port_release_pressed(void) {
    bool pressed = host.button;
    host.button = false;
    return pressed;
}

bool port_duplicates(void) { return random_chance(host.options->faults.duplicate); }

/* ---- Trust: the rest is in port_libcrypto.c ---- */

const uint8_t *host_signer(void) { return host.options->signer; }

void port_random(uint8_t *data, size_t length) {
    if (getrandom(data, length, 0) != (ssize_t)length)
        fail("getrandom");
}

/* ---- Standard input and output ---- */

void host_say(const char *line) {
    printf("%s\n", line);
    fflush(stdout);
}

/* Byte by byte: what is not read is still there for the program that a reset starts. */
const char *host_command(void) {
    char byte;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (host.manual_left == 0 && poll(&input, 1, 0) > 0) {
        ssize_t count = read(STDIN_FILENO, &byte, 1);
        if (count <= 0) /* whoever started the node is gone */
            exit(0);
        if (byte != '\n') {
            if (host.command_length < sizeof host.command - 1)
                host.command[host.command_length++] = byte;
            continue;
        }
        host.command[host.command_length] = '\0';
        host.command_length = 0;
        return host.command;
    }
    return NULL;
}

static void wait_for_input(int timeout) {
    bool throttled = host.options->baud != 0;
    struct pollfd inputs[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = host.link, .events = POLLIN}};
    if (throttled && (host.tx_length > 0 || poll(inputs + 1, 1, 0) > 0)) { /* the line's time passes in pieces */
        poll(inputs, 1, timeout < 0 || timeout > 2 ? 2 : timeout);
        flush();
        return;
    }
    if (host.tx_length > 0)
        flush();
    poll(inputs, 2, timeout);
}

void host_wait(uint32_t wait) {
    if (!host.options->manual_clock) {
        wait_for_input((int)wait);
        return;
    }
    if (host.manual_left == 0 && host.ticking) { /* all that was due by then has been done */
        host.ticking = 0;
        host_say("ticked");
    }
    if (host.manual_left == 0) {
        wait_for_input(-1);
        return;
    }
    uint32_t step = wait < 1 ? 1 : wait < 10 ? wait : 10;
    step = step < host.manual_left ? step : host.manual_left;
    host.manual_now += step;
    host.manual_left -= step;
}

void host_open(const struct options *options, char **arguments) {
    bool is_new;
    host.options = options;
    host.arguments = arguments;
    host.link = host.terminal = -1;
    host.began = nanoseconds();
    bool resumed = host.resumed = resume();
    random_seed(options->seed + (resumed ? host.began : 0));
    host.flash = map_file("flash", flash_size(), &is_new);
    host.world = map_file("world", sizeof *host.world, &is_new);
    if (is_new)
        host.world->battery = 100;
    world_settle(host.world);
    if (!options->serial)
        find_hub();
    if (!resumed && options->serial)
        open_pty();
    else if (!resumed)
        open_udp();
    set_nonblocking(host.link);
}

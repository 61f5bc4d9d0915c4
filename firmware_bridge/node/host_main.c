/* The command line of the host build, and the lines on its standard input that tell its story. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "sector.h"

#define CRASH_AFTER 500U /* ms that a crashing image holds out */

static struct node node;
static struct options options = {.version = "1.0.0", .seed = 1, .who = {.field_period = 20000}};

static _Noreturn void usage(const char *about) {
    fprintf(stderr,
            "%s\nusage: menshen-node --state DIR --id HEX16 --code CODE --model NAME (--pty | --udp HOST:PORT)\n"
            "    [--signer HEX64] [--version 1.0.0] [--events RATE] [--baud 115200] [--clock manual] [--seed N]\n"
            "    [--fault NAME=VALUE]...  drop garble duplicate (shares), brownout (mean s), drift (ppm),\n"
            "                             power_cut (steps or random), wrong_hash, crash_loop\n"
            "stdin: door open|close, car park|pass|leave, battery N, button, cut, stats, tick MS\n",
            about);
    exit(EXIT_USAGE);
}

static void read_hex(const char *text, uint8_t *data, size_t length) {
    unsigned byte;
    if (strlen(text) != 2 * length)
        usage("a number in hex has the wrong length");
    for (size_t i = 0; i < length; i++) {
        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            usage("not hex");
        data[i] = (uint8_t)byte;
    }
}

static void read_text(const char *text, char *into, size_t capacity) {
    if (strlen(text) == 0 || strlen(text) >= capacity)
        usage("a text is empty or too long");
    memcpy(into, text, strlen(text) + 1);
}

static void read_fault(const char *text) {
    struct faults *faults = &options.faults;
    const char *value = strchr(text, '=');
    size_t length = value == NULL ? strlen(text) : (size_t)(value - text);
    double number = value == NULL ? 1 : strtod(value + 1, NULL);
    struct {
        const char *name;
        double *place;
    } numbers[] = {{"drop", &faults->drop},
                   {"garble", &faults->garble},
                   {"duplicate", &faults->duplicate},
                   {"brownout", &faults->brownout},
                   {"drift", &faults->drift}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strlen(numbers[i].name) == length && strncmp(text, numbers[i].name, length) == 0) {
            *numbers[i].place = number;
            return;
        }
    if (strcmp(text, "power_cut=random") == 0) {
        random_seed(options.seed);
        faults->power_cut = 1 + random_next() % 20000;
    } else if (strncmp(text, "power_cut=", 10) == 0) {
        faults->power_cut = strtoull(text + 10, NULL, 10);
    } else if (strncmp(text, "wrong_hash", length) == 0) {
        faults->wrong_hash = number != 0;
    } else if (strncmp(text, "crash_loop", length) == 0) {
        faults->crash_loop = number != 0;
    } else {
        usage("unknown fault");
    }
}

static void read_hub(const char *text) {
    static char host_name[256];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host_name)
        usage("--udp wants HOST:PORT");
    memcpy(host_name, text, (size_t)(colon - text));
    options.hub_host = host_name;
    options.hub_port = (uint16_t)strtoul(colon + 1, NULL, 10);
}

static void read_option(const char *name, const char *value) {
    if (strcmp(name, "--state") == 0)
        options.state = value;
    else if (strcmp(name, "--id") == 0)
        read_hex(value, options.who.id, ID_LENGTH);
    else if (strcmp(name, "--code") == 0)
        read_text(value, options.who.code, sizeof options.who.code);
    else if (strcmp(name, "--model") == 0)
        read_text(value, options.who.model, sizeof options.who.model);
    else if (strcmp(name, "--udp") == 0)
        read_hub(value);
    else if (strcmp(name, "--signer") == 0)
        read_hex(value, options.signer, sizeof options.signer);
    else if (strcmp(name, "--version") == 0)
        options.version = value;
    else if (strcmp(name, "--events") == 0)
        options.who.field_period = (uint32_t)(1000 / strtod(value, NULL));
    else if (strcmp(name, "--baud") == 0)
        options.baud = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--clock") == 0)
        options.manual_clock = strcmp(value, "manual") == 0;
    else if (strcmp(name, "--seed") == 0)
        options.seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--fault") == 0)
        read_fault(value);
    else
        usage(name);
}

static void read_options(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--pty") == 0)
            options.serial = true;
        else if (i + 1 == count)
            usage(arguments[i]);
        else {
            read_option(arguments[i], arguments[i + 1]);
            i++;
        }
    }
    if (options.state == NULL || strlen(options.who.code) != CODE_LENGTH || options.who.model[0] == '\0' ||
        options.serial == (options.hub_host != NULL) || options.who.field_period == 0)
        usage("something is missing");
}

static void say_stats(void) {
    char line[256];
    snprintf(line, sizeof line,
             "{\"boot\": %u, \"events\": %u, \"waiting\": %u, \"malformed\": %u, \"forged\": %u, \"replayed\": %u, "
             "\"garbled\": %u, \"dropped\": %u, \"relay\": %s, \"claimed\": %s, \"up\": %lu}",
             node.boot_id, node.events, node.outbox.count, node.dropped.malformed, node.dropped.forged,
             node.dropped.replayed, node.console.garbled, node.store.dropped, host_relay() ? "true" : "false",
             node.owner.claimed ? "true" : "false", host_now());
    host_say(line);
}

static void obey(const char *line) {
    if (strcmp(line, "cut") == 0)
        host_power_cut();
    else if (strcmp(line, "button") == 0)
        host_press_button();
    else if (strcmp(line, "stats") == 0)
        say_stats();
    else if (strncmp(line, "tick ", 5) == 0)
        host_tick((uint32_t)strtoul(line + 5, NULL, 10));
    else if (!world_command(host_world(), line, host_now()))
        fprintf(stderr, "unknown command: %s\n", line);
}

/* A body may say how its image behaves: "crash" dies before it is confirmed, "sick" is not well. */
static bool is_crashing(void) {
    char body[8] = {0};
    unsigned revision = 0;
    port_flash_read(AREA_RUNNING, node.running.header_size, body, 5);
    sscanf(node.running.version, "%*u.%*u.%u", &revision);
    if (strncmp(body, "sick", 4) == 0)
        host_make_sick();
    return node.boot.state == BOOT_TESTING &&
           (options.faults.crash_loop || strcmp(body, "crash") == 0 || revision >= 99);
}

/* What stands in flash for sure: a test holds the node to it after the power was lost. */
static void log_stored(void) {
    static uint32_t logged;
    while (options.faults.power_cut > 0 && logged < node.events)
        fprintf(stderr, "stored %u %u\n", node.boot_id, ++logged);
}

/* Resets that nobody asked for. */
static void misbehave(bool crashing, uint64_t passed) {
    if (crashing && host_now() >= CRASH_AFTER)
        port_reset(WHY_CRASH);
    if (options.faults.brownout > 0 && random_chance((double)passed / 1000 / options.faults.brownout))
        port_reset(WHY_BROWNOUT);
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    host_open(&options, arguments);
    if (sector_number(AREA_SETTINGS, 0) == 0 && sector_number(AREA_SETTINGS, 1) == 0) /* it was never started */
        factory_write(options.version, options.who.model);
    host_arm_power_cut();
    enum boot_outcome outcome = boot_run(&node.boot, options.who.model);
    if (outcome == BOOT_NOTHING_RUNS) {
        fprintf(stderr, "bricked\n");
        return EXIT_BRICKED;
    }
    node_start(&node, &options.who, outcome, host_now());
    bool crashing = is_crashing();
    uint64_t before = host_now();
    for (;;) {
        uint32_t wait = node_poll(&node, host_now());
        uint64_t now = host_now();
        log_stored();
        misbehave(crashing, now - before);
        before = now;
        host_wait(wait);
        for (const char *line = host_command(); line != NULL; line = host_command())
            obey(line);
    }
}

/* The host build: a node as a Linux process, in a world that a test or a demo directs. Not part of a board. */
#ifndef NODE_HOST_H
#define NODE_HOST_H

#include "node.h"

#define EXIT_USAGE 64
#define EXIT_POWER_CUT 70 /* the power was "lost": start it again */
#define EXIT_BRICKED 71   /* nothing in the running slot could be started */

struct faults {
    double drop;        /* share of bytes (serial) or datagrams that are lost, each way */
    double garble;      /* share of bytes or datagrams that arrive wrong */
    double duplicate;   /* share of events that are sent twice */
    double brownout;    /* mean seconds between resets that nobody asked for, 0: none */
    double drift;       /* of the clock, ppm */
    uint64_t power_cut; /* bytes written and halves of sectors erased until the power is lost, 0: never */
    bool wrong_hash;    /* a bit of each uploaded image falls over */
    bool crash_loop;    /* every unconfirmed image crashes */
};

struct options {
    const char *state;    /* folder of the flash */
    struct identity who;
    const char *version;  /* of the image that it left the factory with */
    uint8_t signer[32];   /* public key of who may sign images */
    bool serial;          /* pty, else UDP */
    const char *hub_host; /* of UDP: IPv4 address or name */
    uint16_t hub_port;
    unsigned baud;        /* pace of the pty, 0: as fast as it goes */
    bool manual_clock;    /* time passes by `tick` only */
    uint64_t seed;
    struct faults faults;
};

/* What is outside the node; it goes on when the node restarts. */
struct world {
    bool door_open;
    uint8_t car; /* enum car */
    int8_t battery;
    uint64_t door_moved; /* uptime in ms, 0: not since the start */
    uint64_t car_moved;
};

enum car { CAR_NONE, CAR_ARRIVING, CAR_PARKED, CAR_LEAVING, CAR_PASSING };

/* world.c: no OS, only arithmetic. */
bool world_door(const struct world *world, uint64_t now);
void world_field(const struct world *world, uint64_t now, int32_t nanotesla[3]);
/* After a restart of the node, whose uptime begins anew: what was moving has arrived. */
void world_settle(struct world *world);
/* One command of the story (`car park`); false if it is none. */
bool world_command(struct world *world, const char *line, uint64_t now);
uint64_t random_next(void);
void random_seed(uint64_t seed);
/* True with this probability. */
bool random_chance(double share);

/* port_host.c */
void host_open(const struct options *options, char **arguments);
struct world *host_world(void);
const uint8_t *host_signer(void);
uint64_t host_now(void);
/* Waits for input, at most `wait` ms of the node's time. */
void host_wait(uint32_t wait);
/* A line that came on stdin, without its end; NULL if there is none. */
const char *host_command(void);
void host_press_button(void);
void host_tick(uint32_t ms);
void host_say(const char *line);
/* From now on the power may be lost, as the options say. */
void host_arm_power_cut(void);
bool host_relay(void);
_Noreturn void host_power_cut(void);
void host_make_sick(void);

/* factory.c: the image that a new node runs, unsigned. */
void factory_write(const char *version, const char *model);

#endif

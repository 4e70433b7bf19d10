/* What several tests of hole punching need. */
#ifndef PUNCH_PARTS_H
#define PUNCH_PARTS_H

#include "base/clock.h"
#include "holepunch/punch_remote.h"

static const hd_time punch_start = {5000000};

static inline hd_entropy punch_entropy(uint8_t first) {
  const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {first};
  hd_entropy entropy;
  hd_entropy_init(&entropy, seed);
  return entropy;
}

static inline hd_time punch_after_ms(uint64_t ms) {
  return hd_time_add(punch_start, HD_MILLISECONDS(ms));
}

/* Host number `host` of a network that is neither private nor reserved. */
static inline hd_address punch_address(uint8_t host, uint16_t port) {
  return hd_address_ipv4(44, host, 7, 1, port);
}

#endif

/* Internet addresses as plain values; the layout is public (include/hdht/types.h). Equal addresses have equal bytes, so
 * they can be compared and hashed as memory. */
#ifndef HD_ADDRESS_H
#define HD_ADDRESS_H

#include <hdht/types.h>
#include <stdbool.h>
#include <string.h>

typedef hdht_address hd_address;

_Static_assert(sizeof(hd_address) == 20, "addresses are hashed as memory: no padding");

static inline hd_address hd_address_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  return (hd_address){.ip = {a, b, c, d}, .port = port, .family = HDHT_FAMILY_IPV4};
}

static inline bool hd_address_is_none(const hd_address *address) {
  return address->family == HDHT_FAMILY_NONE;
}

/* Same host and port. */
static inline bool hd_address_equal(const hd_address *a, const hd_address *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

/* Same host, whatever the port. */
static inline bool hd_address_same_host(const hd_address *a, const hd_address *b) {
  return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

#endif

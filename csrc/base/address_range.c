#include "base/address_range.h"

typedef struct range {
  uint8_t prefix[4];
  uint8_t bits;
} range;

static const range private_ipv4[] = {{{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10}, {{127, 0, 0, 0}, 8},
                                     {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12}, {{192, 168, 0, 0}, 16}};
static const range reserved_ipv4[] = {{{0, 0, 0, 0}, 8},     {{192, 0, 0, 0}, 24},    {{192, 0, 2, 0}, 24},
                                      {{198, 18, 0, 0}, 15}, {{198, 51, 100, 0}, 24}, {{203, 0, 113, 0}, 24},
                                      {{224, 0, 0, 0}, 4},   {{240, 0, 0, 0}, 4}};
static const range private_ipv6[] = {{{0xfe, 0x80, 0, 0}, 10}, {{0xfc, 0, 0, 0}, 7}};
static const range reserved_ipv6[] = {{{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0xff, 0, 0, 0}, 8}};

static bool is_in(const hd_address *address, const range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t difference = 0;
    for (unsigned byte = 0; byte < 4; byte++) {
      difference = difference << 8 | (uint32_t)(address->ip[byte] ^ ranges[i].prefix[byte]);
    }
    if (difference >> (32 - ranges[i].bits) == 0) return true;
  }
  return false;
}

#define IS_IN(address, ranges) is_in((address), (ranges), sizeof(ranges) / sizeof(ranges)[0])

/* :: and ::1 */
static bool is_ipv6_zero_but_last(const hd_address *address, uint8_t last) {
  const uint8_t wanted[16] = {[15] = last};
  return memcmp(address->ip, wanted, sizeof wanted) == 0;
}

bool hd_address_is_private(const hd_address *address) {
  switch (address->family) {
    case HDHT_FAMILY_IPV4: return IS_IN(address, private_ipv4);
    case HDHT_FAMILY_IPV6: return IS_IN(address, private_ipv6) || is_ipv6_zero_but_last(address, 1);
    default: return false;
  }
}

bool hd_address_is_reserved(const hd_address *address) {
  switch (address->family) {
    case HDHT_FAMILY_IPV4: return IS_IN(address, reserved_ipv4);
    case HDHT_FAMILY_IPV6: return IS_IN(address, reserved_ipv6) || is_ipv6_zero_but_last(address, 0);
    default: return false;
  }
}

bool hd_address_is_public(const hd_address *address) {
  return !hd_address_is_none(address) && !hd_address_is_private(address) && !hd_address_is_reserved(address);
}

bool hd_address_same_network(const hd_address *a, const hd_address *b) {
  return a->family == b->family && memcmp(a->ip, b->ip, a->family == HDHT_FAMILY_IPV6 ? 4 : 2) == 0;
}

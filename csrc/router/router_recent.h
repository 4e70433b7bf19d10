/* Whose messages this node passed on lately. A reply goes back only to an address whose request it answers, so that
 * nobody can have replies sent to somebody who asked for nothing. (The reference sends them to whatever address the
 * message names.)
 *
 * A set of fixed size: under a flood old entries are lost early, and who lost one asks again. */
#ifndef HD_ROUTER_RECENT_H
#define HD_ROUTER_RECENT_H

#include "base/address.h"
#include "base/allocator.h"
#include "base/clock.h"

#define HD_ROUTER_RECENT_LIFETIME HD_SECONDS(30) /* a server may take its time to decide */
#define HD_ROUTER_RECENT_COUNT    4096

typedef struct hd_router_recent_entry {
  uint32_t request; /* part of the hash of the address and the request's number */
  uint32_t until;   /* second since time began; 0: none */
} hd_router_recent_entry;

/* The set, 32 KiB, is allocated with the first entry. */
typedef struct hd_router_recent {
  const hd_allocator *allocator;
  uint64_t seed[2];
  hd_router_recent_entry *entries;
} hd_router_recent;

/* `seed` must not be guessable. */
void hd_router_recent_init(hd_router_recent *recent, const hd_allocator *allocator, const uint64_t seed[2]);
void hd_router_recent_destroy(hd_router_recent *recent);

/* Notes the request `tid` of `from`. Without memory the note is lost. */
void hd_router_recent_add(hd_router_recent *recent, hd_time now, const hd_address *from, uint16_t tid);

bool hd_router_recent_has(const hd_router_recent *recent, hd_time now, const hd_address *from, uint16_t tid);

#endif

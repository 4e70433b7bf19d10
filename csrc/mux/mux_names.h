/* Everything that goes by (protocol name, channel id): channels of ours, opens of the peer that wait, hooks. A chained
 * hash table of entries that live inside their owners. Entries of equal names come in the order of their insertion,
 * which is what "oldest first" rests on.
 *
 * The hash need not be keyed: what a peer can put in here is bounded by the backlog limit, so the worst chain is too.
 * The table starts with a few buckets of its own; when it cannot grow it only becomes slower. */
#ifndef HD_MUX_NAMES_H
#define HD_MUX_NAMES_H

#include "base/allocator.h"
#include "base/bytes.h"
#include "base/list.h"

#define HD_MUX_NAMES_FIRST_BUCKETS 8

typedef struct hd_mux_key {
  uint64_t hash;
  hd_bytes protocol;
  hd_bytes id; /* empty for none */
} hd_mux_key;

typedef enum hd_mux_name_kind { HD_MUX_NAME_CHANNEL, HD_MUX_NAME_WAITING, HD_MUX_NAME_HOOK } hd_mux_name_kind;

typedef struct hd_mux_name {
  hd_list link;   /* in its bucket */
  hd_mux_key key; /* the bytes are the subject's */
  hd_mux_name_kind kind;
  void *subject; /* what the name belongs to; of the type `kind` says */
} hd_mux_name;

typedef struct hd_mux_names {
  const hd_allocator *allocator;
  hd_list *buckets;     /* `first_buckets` or allocated */
  size_t buckets_count; /* a power of two */
  size_t count;
  hd_list first_buckets[HD_MUX_NAMES_FIRST_BUCKETS];
} hd_mux_names;

hd_mux_key hd_mux_key_of(hd_bytes protocol, hd_bytes id);

/* Copies the bytes to *next, which moves past them, and returns the copy: how owners keep their names behind
 * themselves, in one allocation. */
static inline hd_bytes hd_mux_keep_bytes(uint8_t **next, hd_bytes bytes) {
  const hd_bytes copy = hd_bytes_of(*next, bytes.size);
  if (bytes.size > 0) memcpy(*next, bytes.data, bytes.size);
  *next += bytes.size;
  return copy;
}

/* Allocates nothing. The table must stay where it is in memory. */
void hd_mux_names_init(hd_mux_names *names, const hd_allocator *allocator);

/* There must be no entry left. */
void hd_mux_names_destroy(hd_mux_names *names);

void hd_mux_names_insert(hd_mux_names *names, hd_mux_name *name);
void hd_mux_names_remove(hd_mux_names *names, hd_mux_name *name);

/* The entry of that kind and key inserted next after `previous`, or the oldest one if `previous` is NULL; NULL when
 * there is none. */
hd_mux_name *hd_mux_names_find(const hd_mux_names *names, const hd_mux_key *key, hd_mux_name_kind kind,
                               const hd_mux_name *previous);

#endif

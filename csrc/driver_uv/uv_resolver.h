/* The bootstrap nodes as people write them, `[ip@]host:port`, and the addresses their names stand for.
 *
 * An entry with an address (`ip@`, or a host that is one) is good at once. The names of the others are looked up; one
 * that cannot be found is skipped, so that the rest still serves. */
#ifndef HD_UV_RESOLVER_H
#define HD_UV_RESOLVER_H

#include <stdbool.h>
#include <uv.h>

#include "base/address.h"
#include "base/allocator.h"

#define HD_UV_BOOTSTRAPS_LIMIT     20
#define HD_UV_BOOTSTRAP_LENGTH_MAX 300 /* characters of one entry */
#define HD_UV_HOST_NAME_SIZE       256 /* with its NUL (RFC 1035, section 2.3.4) */

typedef struct hd_uv_resolver hd_uv_resolver;

typedef struct hd_uv_resolver_entry {
  char host[HD_UV_HOST_NAME_SIZE]; /* empty when there is only an address */
  uint16_t port;
  hd_address address; /* what is written before the `@` or instead of a name; none otherwise */
  uv_getaddrinfo_t lookup;
  bool is_looking;
  hd_uv_resolver *resolver;
} hd_uv_resolver_entry;

struct hd_uv_resolver {
  uv_loop_t *loop;
  hd_uv_resolver_entry entries[HD_UV_BOOTSTRAPS_LIMIT];
  size_t entries_count;
  unsigned looking_count;

  /* An address was found. */
  void (*on_address)(void *context, const hd_address *address);
  /* No lookup is under way any more. The resolver may be given up here. */
  void (*on_done)(void *context);
  void *context;
};

/* Reads one entry. Errors: HDHT_ERR_MALFORMED. */
int hd_uv_resolver_parse(const char *text, hd_uv_resolver_entry *entry);

/* Reads the list; nothing is looked up yet. The functions and `context` are the caller's to set; must not move in
 * memory.
 *
 * Errors: HDHT_ERR_MALFORMED, HDHT_ERR_LIMIT above HD_UV_BOOTSTRAPS_LIMIT. */
int hd_uv_resolver_init(hd_uv_resolver *resolver, uv_loop_t *loop, const char *const *texts, size_t texts_count);

/* Looks up the names that are not being looked up: all of them, or only those of entries without an address. on_done
 * follows from the loop if this returns true; there is nothing to wait for otherwise. */
bool hd_uv_resolver_start(hd_uv_resolver *resolver, bool all);

/* Gives up what is under way, as soon as the system lets go of it: on_done follows. Returns false if there is nothing
 * to wait for. */
bool hd_uv_resolver_stop(hd_uv_resolver *resolver);

#endif

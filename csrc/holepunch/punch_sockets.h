/* The sockets of one punch: the main one, on which messages travel and whose NAT is analysed, and up to 255 more for a
 * punch with many sockets. The driver opens and closes them when it is told to; nothing here does.
 *
 * A socket that is wanted has a key until the driver has given it an id. The invariant: every id the driver gave is
 * open, waiting to be told closed, or has been. */
#ifndef HD_PUNCH_SOCKETS_H
#define HD_PUNCH_SOCKETS_H

#include "base/allocator.h"
#include "base/datagram.h"
#include "holepunch/punch_plan.h"

#define HD_PUNCH_SAMPLES_WANTED 4
#define HD_PUNCH_SAMPLE_ROUNDS  2 /* sets of helpers asked for one socket */
#define HD_PUNCH_REOPENS_LIMIT  3

typedef enum hd_punch_socket_state {
  HD_PUNCH_SOCKET_NONE,
  HD_PUNCH_SOCKET_WANTED,  /* to be told to the driver */
  HD_PUNCH_SOCKET_OPENING, /* told */
  HD_PUNCH_SOCKET_OPEN,
} hd_punch_socket_state;

typedef struct hd_punch_socket {
  uint32_t key; /* what the driver is told it as; never the same twice in one punch */
  hd_socket_id id;
  uint8_t state; /* hd_punch_socket_state */
} hd_punch_socket;

typedef struct hd_punch_sockets {
  const hd_allocator *allocator;
  hd_punch_socket main;
  hd_punch_socket *extras; /* HD_PUNCH_SOCKETS_MAX - 1, or NULL */
  unsigned extras_count;
  uint32_t next_key;
  unsigned reopens_count;
  hd_nat_analysis analysis; /* of the main socket */
  unsigned sample_rounds;   /* sets of helpers asked for */
  bool wants_samples;       /* the next set is to be told to the owner */
  bool awaits_samples;      /* answers of a set may still come */
  hd_socket_id closing[HD_PUNCH_SOCKETS_MAX + HD_PUNCH_REOPENS_LIMIT];
  unsigned closing_count; /* to be told to the driver */
} hd_punch_sockets;

/* Wants a main socket. `is_open`: the node is known to be reachable. */
void hd_punch_sockets_init(hd_punch_sockets *sockets, const hd_allocator *allocator, bool is_open);

/* Gives the memory back. Sockets that were not told to be closed are the caller's to close. */
void hd_punch_sockets_destroy(hd_punch_sockets *sockets);

/* Wants sockets until there are `count`; without memory for them there is only the main one. */
void hd_punch_sockets_grow(hd_punch_sockets *sockets, unsigned count);

/* Replaces the main socket by a new one, and forgets what was learned of the old one's NAT. Returns false when that was
 * done HD_PUNCH_REOPENS_LIMIT times already. */
bool hd_punch_sockets_reopen(hd_punch_sockets *sockets);

/* Takes the next wanted socket. Returns false when there is none. */
bool hd_punch_sockets_take_wanted(hd_punch_sockets *sockets, uint32_t *key);

/* The driver opened it; HD_SOCKET_NONE: it could not. A key that is no longer known is closed again. */
void hd_punch_sockets_opened(hd_punch_sockets *sockets, uint32_t key, hd_socket_id id);

/* Takes the next socket to be closed. Returns false when there is none. */
bool hd_punch_sockets_take_closing(hd_punch_sockets *sockets, hd_socket_id *id);

/* Closes all but `kept`, which is from now on somebody else's; HD_SOCKET_NONE: all. What is still being opened is
 * closed when it is. */
void hd_punch_sockets_release(hd_punch_sockets *sockets, hd_socket_id kept);

bool hd_punch_sockets_contain(const hd_punch_sockets *sockets, hd_socket_id id);

bool hd_punch_sockets_main_is_open(const hd_punch_sockets *sockets);
bool hd_punch_sockets_main_failed(const hd_punch_sockets *sockets);

/* Whether a socket is still wanted or being opened. */
bool hd_punch_sockets_are_opening(const hd_punch_sockets *sockets);

/* Sockets open or to be opened; `index` counts them from the main one, which is 0. */
unsigned hd_punch_sockets_count(const hd_punch_sockets *sockets);
hd_punch_socket *hd_punch_sockets_at(hd_punch_sockets *sockets, unsigned index);

/* A helper saw the main socket as `reported`. */
void hd_punch_sockets_sample(hd_punch_sockets *sockets, const hd_address *reported, const hd_address *helper);

/* All helpers of the set have answered or will not. */
void hd_punch_sockets_samples_end(hd_punch_sockets *sockets);

/* Takes the wish for a set of helpers. Returns false when there is none. */
bool hd_punch_sockets_take_sampling(hd_punch_sockets *sockets);

/* Whether more waiting would not tell more about the main socket's NAT. */
bool hd_punch_sockets_are_analysed(const hd_punch_sockets *sockets);

#endif

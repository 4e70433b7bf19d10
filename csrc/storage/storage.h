/* All that a node stores for others, and its answers to the commands that store and find it (hyperdht, "storage
 * commands"). Nothing here sends: an answer is a value, and whoever received the request sends it.
 *
 * A request reaches this only after its token, if it has one, was found good. Anything that is not as it must be gets
 * no answer at all, as in the reference. */
#ifndef HD_STORAGE_H
#define HD_STORAGE_H

#include "messages/message_rpc.h"
#include "storage/storage_peers.h"
#include "storage/storage_routes.h"
#include "storage/storage_values.h"

typedef struct hd_storage_limits {
  uint32_t entries;           /* routes, records, refresh keys and bumps, of one generation; values: half of it */
  size_t value_bytes;         /* of all immutable values, and again of all mutable ones */
  hd_duration peer_age_limit; /* announcements */
  hd_duration value_age_limit;
} hd_storage_limits;

/* The reference's, and a limit of bytes where it has none. */
#define HD_STORAGE_LIMITS_DEFAULT                             \
  ((hd_storage_limits){.entries = 65536,                      \
                       .value_bytes = (size_t)64 << 20,       \
                       .peer_age_limit = HD_SECONDS(20 * 60), \
                       .value_age_limit = HD_SECONDS(48 * 3600)})

typedef struct hd_storage {
  hd_random random;
  uint64_t unix_ms_at_start; /* what the calendar said at hd_time 0; 0 unknown */
  hd_storage_routes routes;
  hd_storage_peers peers;
  hd_storage_values values;
  hd_storage_cache refreshes; /* refresh key to what it stores again */
  hd_storage_cache bumps;     /* topic to its newest bump */
} hd_storage;

/* Empty; allocates nothing. Must not move in memory afterwards. `seed`: two words no outsider knows. */
void hd_storage_init(hd_storage *storage, const hd_allocator *allocator, const hd_storage_limits *limits,
                     const uint64_t seed[2]);

void hd_storage_destroy(hd_storage *storage);

/* Tells the time of day, so that bumps from the future can be refused. Without it none is accepted. */
void hd_storage_set_calendar(hd_storage *storage, hd_time now, uint64_t unix_ms);

/* Forgets what is too old. Worth calling every few seconds: it gives memory back. */
void hd_storage_elapse(hd_storage *storage, hd_time now);

typedef enum hd_storage_verdict {
  HD_STORAGE_SILENCE,      /* no answer */
  HD_STORAGE_ANSWER,       /* answer with error 0 and what else the answer says */
  HD_STORAGE_REFUSAL,      /* answer with the error; closer nodes, no token, no value */
  HD_STORAGE_NOT_A_STORAGE /* the command is somebody else's */
} hd_storage_verdict;

typedef struct hd_storage_answer {
  hd_storage_verdict verdict;
  uint64_t error;
  bool has_value;
  bool with_token;
  bool with_closer_nodes;
  hd_bytes value;    /* good until the next call of any function of the storage, or the next use of `room` */
  bool is_shortened; /* more records are known than `room` had space for */
} hd_storage_answer;

/* Answers an external command.
 *
 * request     its token, if any, is good
 * from        the source of the request
 * own_id      32 bytes
 * room        where values that have to be composed are written; lookups list no more than it has space for
 *
 * The verdict also says whether anything was stored: only ANSWER to a storing command means that. */
hd_storage_answer hd_storage_handle(hd_storage *storage, hd_time now, const hd_messages_request *request,
                                    const hd_address *from, const uint8_t own_id[HDHT_NODE_ID_SIZE], hd_writer room);

#endif

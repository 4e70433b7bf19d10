/* What an endpoint counts. Everything that is dropped is counted by its reason. */
#ifndef HD_RPC_STATS_H
#define HD_RPC_STATS_H

#include <stdint.h>

typedef struct hd_rpc_command_stats {
  uint64_t sent;     /* requests made */
  uint64_t received; /* answers to them, as the reference counts */
  uint64_t served;   /* requests of others answered or handed on */
} hd_rpc_command_stats;

#define HD_RPC_COMMANDS_COUNTED 5 /* PING to DELAYED_PING */

typedef struct hd_rpc_stats {
  uint64_t requests_active; /* now */
  uint64_t requests_total;
  uint64_t responses;
  uint64_t timeouts; /* requests that were never answered */
  uint64_t retries;  /* transmissions beyond the first */
  hd_rpc_command_stats commands[HD_RPC_COMMANDS_COUNTED];

  uint64_t datagrams_received, bytes_received;
  uint64_t datagrams_sent, bytes_sent;

  /* Dropped. */
  uint64_t dropped_suspended;
  uint64_t dropped_source;    /* port 0 or an address of another family */
  uint64_t dropped_malformed; /* neither request nor response, truncated, or impossible */
  uint64_t dropped_flood;     /* the source's network asks too much */
  uint64_t dropped_unknown;   /* a response to nothing that was asked */
  uint64_t dropped_foreign;   /* a response from another source than was asked: forged, or a strange NAT */
  uint64_t dropped_no_room;   /* the outbox was full, or there was no memory */
  uint64_t dropped_unproven;  /* an answer too large for a source that proved nothing, and no place to wait */

  uint64_t bad_tokens;
  uint64_t bad_ids;           /* senders whose id is not that of their address; served as if they had none */
  uint64_t challenges;        /* sources asked to prove themselves before a large answer */
  uint64_t answers_shortened; /* closer nodes left out because the source proved nothing */
} hd_rpc_stats;

#endif

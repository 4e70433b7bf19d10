/* What a node has to tell, queued until its driver asks. The node is consistent whenever anybody sees an event, so any
 * function may be called in answer to one.
 *
 * News about the node itself are kept once each, so they are never lost. An operation's end has its place from the
 * start, so it is never lost either. What an operation finds is copied; when much of it waits, the operation pauses. */
#ifndef HD_NODE_EVENTS_H
#define HD_NODE_EVENTS_H

#include "announce/announce_operation.h"

typedef struct hd_node_operation hd_node_operation;

typedef enum hd_event_kind {
  HD_EVENT_READY,             /* bootstrapping is over, however it went */
  HD_EVENT_PERSISTENT,        /* the node serves others and shows its id from now on */
  HD_EVENT_EPHEMERAL,         /* it no longer does */
  HD_EVENT_ADDRESS,           /* what others say our address is has changed */
  HD_EVENT_NETWORK,           /* online or degraded has changed, or the machine's network has */
  HD_EVENT_WAKE_UP,           /* the process had not run for a while */
  HD_EVENT_BOOTSTRAPS_WANTED, /* nobody answered: names of bootstrap nodes may be looked up again */
  HD_EVENT_NODE_KINDS,        /* the number of those above, which are about the node */

  HD_EVENT_FOUND = 16, /* an operation found something */
  HD_EVENT_SIGN,       /* an operation needs a signature: hd_node_operation_sign */
  HD_EVENT_DONE,       /* an operation is over */
} hd_event_kind;

typedef struct hd_event {
  hd_event_kind kind;
  hd_node_operation *operation; /* NULL for news about the node */
  void *context;                /* of the operation */
  union {
    hd_announce_found found;
    hd_announce_to_sign to_sign;
    hd_announce_result result;
  };
} hd_event;

/* One event in the queue, with what it points to behind it. */
typedef struct hd_node_event_entry {
  hd_list link; /* points at itself while it is not queued */
  hd_event event;
  size_t size; /* of the allocation; 0 for entries that live elsewhere */
} hd_node_event_entry;

typedef struct hd_node_events {
  const hd_allocator *allocator;
  hd_list queue;
  hd_node_event_entry news[HD_EVENT_NODE_KINDS];
  hd_node_event_entry *lent; /* the one last given out, if it was allocated */
} hd_node_events;

/* An empty queue. Must not move in memory. */
void hd_node_events_init(hd_node_events *events, const hd_allocator *allocator);
void hd_node_events_destroy(hd_node_events *events);

/* Queues news about the node, unless the same are still waiting. */
void hd_node_events_add_news(hd_node_events *events, hd_event_kind kind);

/* Queues an entry that belongs to somebody else, who keeps it until it was given out or removed. */
void hd_node_events_add(hd_node_events *events, hd_node_event_entry *entry);

/* Queues a copy of something found or to be signed. Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_node_events_add_found(hd_node_events *events, hd_node_operation *operation, void *context,
                             const hd_announce_found *found);
int hd_node_events_add_sign(hd_node_events *events, hd_node_operation *operation, void *context,
                            const hd_announce_to_sign *to_sign);

/* Gives out the oldest event. What it points to is good until the next call of any function here.
 * Returns false when there is none. */
bool hd_node_events_next(hd_node_events *events, hd_event *event);

/* Forgets all events of an operation. */
void hd_node_events_remove(hd_node_events *events, const hd_node_operation *operation);

#endif

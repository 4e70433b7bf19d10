/* The handles of include/hdht/node.h and query.h, as their files share them: api_node.c (the node, and how its events
 * reach its users), api_query.c, api_stats.c. */
#ifndef HD_API_NODE_H
#define HD_API_NODE_H

#include <hdht/node.h>
#include <hdht/query.h>
#include <stdbool.h>

#include "base/list.h"
#include "driver_uv/uv_node.h"

struct hdht_node {
  const hd_allocator *allocator;
  hdht_node_callbacks callbacks;
  void *user_data;
  hdht_loop *loop;
  hd_uv_node *node;
  hd_list queries;        /* all that are not gone */
  size_t cancelled_count; /* of those, waiting for their end */
  bool is_closing;
  bool is_abandoned; /* it was never given to its user, who is told nothing */
};

/* Tells a query's user of an event of its operation. */
void hd_api_query_event(hdht_query *query, const hd_event *event);

/* Ends the queries that were cancelled; of a closing node, all. */
void hd_api_queries_settle(hdht_node *node);

#endif

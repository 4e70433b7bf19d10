/* How many random punches a node makes at a time: each opens hundreds of sockets or sends probes for half a minute, and
 * home routers have small tables.
 *
 * Punches with many sockets go one after the other, with a pause between them. The reference fails those that find it
 * busy; here they stand in line. Punches from one socket to many ports cost this node little: only their number at a
 * time is limited. */
#ifndef HD_PUNCH_THROTTLE_H
#define HD_PUNCH_THROTTLE_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/list.h"
#include "holepunch/punch_plan.h"

#define HD_PUNCH_RANDOM_PAUSE         HD_SECONDS(20) /* between two punches with many sockets */
#define HD_PUNCH_RANDOM_LINE_LIMIT    16
#define HD_PUNCH_RANDOM_GUESSES_LIMIT 16 /* punches to random ports at a time */

/* One punch, as the throttle knows it. Lives inside its owner, and must not move while it stands in line or holds. */
typedef struct hd_punch_waiter {
  hd_list link; /* in line */
  bool holds_sockets;
  bool holds_guesses;
  void *context; /* the owner's */
} hd_punch_waiter;

typedef struct hd_punch_throttle {
  hd_duration pause;
  hd_time free_at; /* the pause after the last punch ends */
  bool is_busy;
  unsigned guesses_count;
  hd_list line;
  unsigned line_count;
} hd_punch_throttle;

/* `deferred`: as if a punch had just ended, for a node that starts or resumes. */
void hd_punch_throttle_init(hd_punch_throttle *throttle, hd_duration pause, hd_time now, bool deferred);

void hd_punch_waiter_init(hd_punch_waiter *waiter, void *context);

/* Asks to run this plan. Returns HDHT_OK when it may now; that ends with hd_punch_throttle_leave. Plans that are not
 * random always may.
 *
 * Errors: HDHT_ERR_WOULD_BLOCK: others are before it; nothing has changed. */
int hd_punch_throttle_enter(hd_punch_throttle *throttle, hd_punch_waiter *waiter, hd_punch_strategy strategy,
                            hd_time now);

/* Stands in line for a punch with many sockets. Errors: HDHT_ERR_LIMIT. */
int hd_punch_throttle_queue(hd_punch_throttle *throttle, hd_punch_waiter *waiter);

/* When one that stands in line now will have its turn, if that is known: HD_TIME_NEVER while a punch runs or others are
 * before it. */
hd_time hd_punch_throttle_expected(const hd_punch_throttle *throttle);

/* Leaves the line, or ends the punch; the pause follows only if it `has_punched`. Does nothing for one that is in
 * neither. */
void hd_punch_throttle_leave(hd_punch_throttle *throttle, hd_punch_waiter *waiter, hd_time now, bool has_punched);

/* When the first in line has its turn, or HD_TIME_NEVER. */
hd_time hd_punch_throttle_deadline(const hd_punch_throttle *throttle);

/* Takes the one whose turn it is from the line; it holds the throttle from now on. NULL: nobody. */
hd_punch_waiter *hd_punch_throttle_next(hd_punch_throttle *throttle, hd_time now);

#endif

/* What is left of a stream after it closed: enough to answer for it.
 *
 * The reference forgets a stream the moment it closes. If its last acknowledgement is lost, the other side repeats its
 * END into the void and fails after 13 seconds, although all data arrived. A ghost repeats that acknowledgement. The
 * ghost of a stream that was destroyed repeats the DESTROY, a few times by itself and then when asked, because nobody
 * acknowledges one. Ghosts last longer than the reference's patience, in bounded number: the oldest goes first. */
#ifndef HD_UDX_GHOST_H
#define HD_UDX_GHOST_H

#include "base/datagram.h"
#include "base/list.h"
#include "udx/udx_packet.h"
#include "udx/udx_scratch.h"
#include "udx/udx_streams.h"

#define HD_UDX_GHOST_LIFE            HD_SECONDS(15)
#define HD_UDX_GHOST_ANSWER_INTERVAL HD_MILLISECONDS(5) /* between answers: they can be provoked */
#define HD_UDX_GHOST_DESTROYS        3                  /* sent unasked */
#define HD_UDX_GHOST_DESTROY_DELAY   HD_MILLISECONDS(5) /* before the second; then five times as long */

typedef enum hd_udx_ghost_kind {
  HD_UDX_GHOST_SILENT,  /* the other side closed the stream: swallow what comes late */
  HD_UDX_GHOST_ACK,     /* both sides ended: repeat the last acknowledgement */
  HD_UDX_GHOST_DESTROY, /* this side destroyed it: repeat that */
} hd_udx_ghost_kind;

typedef struct hd_udx_ghost {
  hd_udx_entry entry;
  hd_list age_link;
  hd_list send_link; /* in no list unless something is to be sent */
  hd_udx_ghost_kind kind;
  uint32_t sends_left; /* unasked ones */
  hd_duration delay;   /* before the one after the next of these */
  hd_time send_at;     /* when the next of these is due, or HD_TIME_NEVER */
  hd_time expires_at;
  hd_time answer_from;
  hd_socket_id socket;
  hd_address remote;
  hd_udx_header header; /* of every packet it sends, flags apart */
} hd_udx_ghost;

/* A packet came for a closed stream. Returns whether an answer is due. */
bool hd_udx_ghost_receive(hd_udx_ghost *ghost, hd_time now, const hd_udx_header *header);

/* Writes the ghost's packet. */
void hd_udx_ghost_send(hd_udx_ghost *ghost, hd_time now, hd_udx_scratch *scratch, hd_datagram_out *out);

/* When the next unasked packet is due or the ghost expires. */
static inline hd_time hd_udx_ghost_deadline(const hd_udx_ghost *ghost) {
  return hd_time_earlier(ghost->send_at, ghost->expires_at);
}

#endif

/* How things end and how they are told: what mux.c, mux_pairing.c and mux_events.c share. For this folder only. */
#ifndef HD_MUX_STATE_H
#define HD_MUX_STATE_H

#include "mux/mux.h"

/* Sends one message of a channel, or of the control channel; the mux fails when the sink does.
 * Errors: as hd_mux_output_write. */
int hd_mux_write(hd_mux *mux, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count);

/* The same, as a frame of its own even while corked. */
int hd_mux_write_apart(hd_mux *mux, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count);

/* Sends a control message whose body is one id. */
void hd_mux_write_control(hd_mux *mux, uint32_t type, uint32_t id);

/* Something is to be told of the channel. */
void hd_mux_channel_notice(hd_mux_channel *channel, uint8_t notices);

/* The channel is closed for its owner, who is to be told only that. One that was not answered yet becomes abandoned if
 * the owner closed it. */
void hd_mux_channel_finish(hd_mux_channel *channel, int reason);

/* The channel has just taken an open that the peer has closed already: what waited in it is told before the end. */
void hd_mux_channel_finish_after_waiting(hd_mux_channel *channel);

/* The peer's answer to an abandoned channel has come, or never will. */
void hd_mux_channel_answered(hd_mux_channel *channel);

/* Forgets a waiting open, which is in no table any more; its bytes stay until the next event. */
void hd_mux_spend_waiting(hd_mux *mux, hd_mux_waiting *waiting);

/* Takes a waiting open out of the queue and out of the tables. */
void hd_mux_unlink_waiting(hd_mux *mux, hd_mux_waiting *waiting);

/* Releases what was lent in the last event. */
void hd_mux_release_spent(hd_mux *mux);

/* The effects of the peer's control messages. Returns an error that the mux must fail with.
 *
 * has_event  [out] whether `event` was set */
int hd_mux_receive_open(hd_mux *mux, hd_bytes body, hd_mux_event *event, bool *has_event);
int hd_mux_receive_reject(hd_mux *mux, hd_bytes body);
int hd_mux_receive_close(hd_mux *mux, hd_bytes body);

#endif

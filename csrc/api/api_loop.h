/* What other handles need of a loop: the libuv loop, and to be counted, so that it outlives them. */
#ifndef HD_API_LOOP_H
#define HD_API_LOOP_H

#include <hdht/loop.h>
#include <uv.h>

/* Counts one handle made on the loop. Errors: HDHT_ERR_CLOSED. */
int hd_api_loop_enter(hdht_loop *loop);

/* The handle is gone. The loop may be gone afterwards. */
void hd_api_loop_leave(hdht_loop *loop);

#endif

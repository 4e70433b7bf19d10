/* The C API of the native HyperDHT, in one include.
 *
 * Threads: a handle is used by one thread at a time, unless a declaration says "any thread". Handles share no state, so
 * two handles may live on two threads.
 *
 * Errors: functions return HDHT_OK or a negative HDHT_ERR_*. Out-parameters are untouched on error.
 *
 * Memory: bytes handed in are borrowed for the call; bytes handed out live as long as their declaration says. */
#ifndef HDHT_HDHT_H
#define HDHT_HDHT_H

#include <hdht/announcement.h>
#include <hdht/error.h>
#include <hdht/keys.h>
#include <hdht/loop.h>
#include <hdht/memory.h>
#include <hdht/mux.h>
#include <hdht/node.h>
#include <hdht/noise.h>
#include <hdht/noise_payload.h>
#include <hdht/peer.h>
#include <hdht/query.h>
#include <hdht/relay_message.h>
#include <hdht/secretstream.h>
#include <hdht/stats.h>
#include <hdht/stream.h>
#include <hdht/testnet.h>
#include <hdht/types.h>
#include <hdht/version.h>

#endif

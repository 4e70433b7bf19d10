/* The event loop that everything with sockets runs on: one that the host already runs with libuv, or one made here for
 * hosts without libuv.
 *
 * Threads: one thread runs the loop, and every function of this library that takes a loop, or a handle made on one, is
 * called on that thread; so are all callbacks. hdht_loop_wake alone may be called on any thread: to have something done
 * on the loop's thread, a host puts it into a queue of its own and takes it out in `on_wake`. */
#ifndef HDHT_LOOP_H
#define HDHT_LOOP_H

#include <hdht/memory.h>
#include <hdht/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s; /* libuv's uv_loop_t */

typedef struct hdht_loop hdht_loop;

typedef struct hdht_loop_options {
  size_t struct_size;              /* set by hdht_loop_options_init */
  const hdht_allocator *allocator; /* NULL for malloc; must outlive the loop */
  struct uv_loop_s *uv_loop;       /* a loop that the host runs, outliving this handle; NULL: make one */
} hdht_loop_options;

/* All are optional. */
typedef struct hdht_loop_callbacks {
  size_t struct_size; /* sizeof(hdht_loop_callbacks) */

  /* hdht_loop_wake was called, once or several times since the last call of this. */
  void (*on_wake)(void *user_data);

  /* The last call with this user_data: the handle is gone. */
  void (*on_closed)(void *user_data);
} hdht_loop_callbacks;

/* Sets the defaults. `struct_size` is sizeof(hdht_loop_options) as the caller knows it. */
HDHT_API void hdht_loop_options_init(hdht_loop_options *options, size_t struct_size);

/* options    NULL for the defaults; copied
 * callbacks  NULL for none; copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT (descriptors). */
HDHT_API int hdht_loop_create(const hdht_loop_options *options, const hdht_loop_callbacks *callbacks, void *user_data,
                              hdht_loop **loop);

/* Closes the handle when everything made on it is closed; on_closed follows from the loop. Nothing may be made on it
 * any more. A loop made here is run until then: by the hdht_loop_run in progress, or by another one. */
HDHT_API void hdht_loop_close(hdht_loop *loop);

enum {
  HDHT_LOOP_RUN_DEFAULT = 0, /* until hdht_loop_stop, or until nothing is left that could still happen */
  HDHT_LOOP_RUN_ONCE = 1,    /* waits for something to happen, and does it */
  HDHT_LOOP_RUN_NOWAIT = 2   /* does what can be done now */
};

/* Runs a loop made by hdht_loop_create (hosts run their own with uv_run). Something can still happen while a socket or
 * another handle on the loop is open, and as long as there is an `on_wake`.
 *
 * If this run brought on_closed, the handle is gone when it returns.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (mode); HDHT_ERR_INVALID_STATE (inside a callback, or the host's own loop). */
HDHT_API int hdht_loop_run(hdht_loop *loop, int mode);

/* Makes hdht_loop_run, or the host's uv_run, return as soon as the callbacks in progress are done. */
HDHT_API void hdht_loop_stop(hdht_loop *loop);

/* Has `on_wake` called on the loop's thread, soon. Any thread, until hdht_loop_close is called. */
HDHT_API void hdht_loop_wake(hdht_loop *loop);

/* The libuv loop underneath, for hosts that put handles of their own on a loop made here. They close those before
 * hdht_loop_close. */
HDHT_API struct uv_loop_s *hdht_loop_uv_loop(const hdht_loop *loop);

#ifdef __cplusplus
}
#endif

#endif

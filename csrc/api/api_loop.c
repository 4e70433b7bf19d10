#include "api/api_loop.h"

#include <hdht/error.h>
#include <hdht/loop.h>
#include <stdbool.h>

#include "api/api_options.h"
#include "base/allocator.h"
#include "base/assertion.h"

struct hdht_loop {
  const hd_allocator *allocator;
  hdht_loop_callbacks callbacks;
  void *user_data;
  uv_loop_t *uv_loop; /* the host's, or `own` */
  uv_loop_t own;
  uv_async_t wake;
  size_t users_count; /* handles made on it */
  bool is_running;    /* inside hdht_loop_run */
  bool is_closing;
  bool is_closed; /* `wake` is: nothing of ours is left on the uv_loop */
};

static bool is_own(const hdht_loop *loop) {
  return loop->uv_loop == &loop->own;
}

static void on_wake(uv_async_t *wake) {
  hdht_loop *loop = wake->data;
  if (loop->callbacks.on_wake != NULL && !loop->is_closing) loop->callbacks.on_wake(loop->user_data);
}

/* A loop that is woken is waited for, but only our own: the host decides how long its loop runs. */
static int start(hdht_loop *loop, uv_loop_t *uv_loop) {
  loop->uv_loop = uv_loop != NULL ? uv_loop : &loop->own;
  if (is_own(loop) && uv_loop_init(&loop->own) != 0) return HDHT_ERR_LIMIT;
  if (uv_async_init(loop->uv_loop, &loop->wake, on_wake) != 0) {
    if (is_own(loop)) uv_loop_close(&loop->own);
    return HDHT_ERR_LIMIT;
  }
  loop->wake.data = loop;
  if (!is_own(loop) || loop->callbacks.on_wake == NULL) uv_unref((uv_handle_t *)&loop->wake);
  return HDHT_OK;
}

void hdht_loop_options_init(hdht_loop_options *options, size_t struct_size) {
  const hdht_loop_options defaults = {.struct_size = sizeof defaults};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

int hdht_loop_create(const hdht_loop_options *options, const hdht_loop_callbacks *callbacks, void *user_data,
                     hdht_loop **loop) {
  hdht_loop_options known = {0};
  hdht_loop_callbacks known_callbacks = {0};
  if (loop == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (options != NULL && hd_api_read_struct(&known, sizeof known, options) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (callbacks != NULL && hd_api_read_struct(&known_callbacks, sizeof known_callbacks, callbacks) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  const hd_allocator *allocator = hd_allocator_or_system(known.allocator);
  hdht_loop *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  created->allocator = allocator;
  created->callbacks = known_callbacks;
  created->user_data = user_data;
  const int result = start(created, known.uv_loop);
  if (result != HDHT_OK) {
    hd_release(allocator, created, sizeof *created);
    return result;
  }
  *loop = created;
  return HDHT_OK;
}

/* ---- closing --------------------------------------------------------------------------------------------------- */

static void release(hdht_loop *loop) {
  const hdht_loop_callbacks callbacks = loop->callbacks;
  void *user_data = loop->user_data;
  hd_release(loop->allocator, loop, sizeof *loop);
  if (callbacks.on_closed != NULL) callbacks.on_closed(user_data);
}

/* A loop of our own is still running here; hdht_loop_run releases it. */
static void on_wake_closed(uv_handle_t *handle) {
  hdht_loop *loop = handle->data;
  loop->is_closed = true;
  if (!is_own(loop)) release(loop);
}

static void close_if_unused(hdht_loop *loop) {
  if (!loop->is_closing || loop->users_count > 0) return;
  uv_ref((uv_handle_t *)&loop->wake); /* so that the loop runs until it is closed */
  uv_close((uv_handle_t *)&loop->wake, on_wake_closed);
}

void hdht_loop_close(hdht_loop *loop) {
  if (loop == NULL || loop->is_closing) return;
  loop->is_closing = true;
  close_if_unused(loop);
}

int hd_api_loop_enter(hdht_loop *loop) {
  if (loop->is_closing) return HDHT_ERR_CLOSED;
  loop->users_count++;
  return HDHT_OK;
}

void hd_api_loop_leave(hdht_loop *loop) {
  hd_assert(loop->users_count > 0);
  loop->users_count--;
  close_if_unused(loop);
}

/* ---- running --------------------------------------------------------------------------------------------------- */

int hdht_loop_run(hdht_loop *loop, int mode) {
  if (loop == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (!is_own(loop) || loop->is_running) return HDHT_ERR_INVALID_STATE;
  uv_run_mode uv_mode;
  switch (mode) {
    case HDHT_LOOP_RUN_DEFAULT: uv_mode = UV_RUN_DEFAULT; break;
    case HDHT_LOOP_RUN_ONCE: uv_mode = UV_RUN_ONCE; break;
    case HDHT_LOOP_RUN_NOWAIT: uv_mode = UV_RUN_NOWAIT; break;
    default: return HDHT_ERR_INVALID_ARGUMENT;
  }
  loop->is_running = true;
  uv_run(&loop->own, uv_mode);
  loop->is_running = false;

  /* While the host has handles of its own on it, the loop stays. */
  if (loop->is_closed && uv_loop_close(&loop->own) == 0) release(loop);
  return HDHT_OK;
}

void hdht_loop_stop(hdht_loop *loop) {
  if (loop != NULL) uv_stop(loop->uv_loop);
}

void hdht_loop_wake(hdht_loop *loop) {
  if (loop != NULL) uv_async_send(&loop->wake);
}

struct uv_loop_s *hdht_loop_uv_loop(const hdht_loop *loop) {
  return loop->uv_loop;
}

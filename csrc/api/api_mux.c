/* include/hdht/mux.h over mux/mux.h: checks arguments and turns events into callbacks.
 *
 * Callbacks are made in one place, `deliver`, which every call that may have caused an event ends with, and which does
 * nothing when it is running already further up the stack. So no callback is ever made inside another, and after
 * `deliver` the mux may be gone: nothing here looks at it then. */
#include <hdht/error.h>
#include <hdht/mux.h>

#include "api/api_options.h"
#include "mux/mux.h"

struct hdht_mux {
  hd_mux core;
  const hd_allocator *allocator;
  hdht_mux_callbacks callbacks;
  void *user_data;
  hd_list hooks;
  hd_list removed_hooks; /* their owners are to be told */
  bool is_delivering;
  bool is_writing; /* inside on_frame: the core is in the middle of something */
  bool is_closing; /* hdht_mux_close was called */
};

struct hdht_mux_channel {
  hdht_mux *mux;
  hd_mux_channel *core;
  hdht_mux_channel_callbacks callbacks;
  void *user_data;
};

typedef struct hook {
  hd_list link;
  hdht_mux_pair_callbacks callbacks;
  void *user_data;
} hook;

static int read_options(hdht_mux_options *options, const hdht_mux_options *given);
static int write_frame(void *context, const hd_mux_frame *frame);
static int check_open(const hdht_mux *mux);
static int deliver(hdht_mux *mux);
static void dispatch(hdht_mux *mux, const hd_mux_event *event);
static void dispatch_pair(hdht_mux *mux, const hd_mux_event *event);
static void dispatch_closed(hdht_mux *mux, const hd_mux_event *event);
static void finish_closing(hdht_mux *mux);
static void release_hooks(hdht_mux *mux, hd_list *hooks);
static bool is_valid_bytes(hdht_bytes bytes);
static bool is_valid_name(hdht_bytes name);
static int read_channel_options(hdht_mux_channel_options *options, const hdht_mux_channel_options *given);
static bool are_valid_parts(const hdht_bytes *parts, size_t parts_count);

static const hdht_mux_options default_options = {
    .struct_size = sizeof(hdht_mux_options),
    .frame_size_limit = HDHT_MUX_FRAME_SIZE_LIMIT,
    .batch_size_limit = HDHT_MUX_BATCH_SIZE_LIMIT,
    .channels_limit = HDHT_MUX_CHANNELS_LIMIT,
    .backlog_limit = HDHT_MUX_BACKLOG_LIMIT,
    .held_size_limit = HDHT_MUX_HELD_SIZE_LIMIT,
    .buffered_size_limit = HDHT_MUX_BUFFERED_SIZE_LIMIT,
};

void hdht_mux_options_init(hdht_mux_options *options, size_t struct_size) {
  hd_api_init_struct(options, struct_size, &default_options, sizeof default_options);
}

int hdht_mux_create(const hdht_mux_options *options, const hdht_mux_callbacks *callbacks, void *user_data,
                    hdht_mux **mux) {
  hdht_mux_options chosen;
  hdht_mux_callbacks known = {0};
  if (mux == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  int error = read_options(&chosen, options);
  if (error == HDHT_OK) error = hd_api_read_struct(&known, sizeof known, callbacks);
  if (error != HDHT_OK) return error;
  if (known.on_frame == NULL) return HDHT_ERR_INVALID_ARGUMENT;

  const hd_allocator *allocator = hd_allocator_or_system(chosen.allocator);
  hdht_mux *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  created->allocator = allocator;
  created->callbacks = known;
  created->user_data = user_data;
  hd_list_init(&created->hooks);
  hd_list_init(&created->removed_hooks);
  hd_mux_init(&created->core, &(hd_mux_options){
                                  .allocator = allocator,
                                  .sink = {.write = write_frame, .context = created},
                                  .frame_size_limit = chosen.frame_size_limit,
                                  .batch_size_limit = chosen.batch_size_limit,
                                  .channels_limit = chosen.channels_limit,
                                  .backlog_limit = chosen.backlog_limit,
                                  .held_size_limit = chosen.held_size_limit,
                                  .buffered_size_limit = chosen.buffered_size_limit,
                              });
  *mux = created;
  return HDHT_OK;
}

void hdht_mux_close(hdht_mux *mux) {
  if (mux == NULL || mux->is_closing) return;
  mux->is_closing = true;
  if (!mux->is_writing) hd_mux_fail(&mux->core, HDHT_ERR_CLOSED);
  (void)deliver(mux);
}

int hdht_mux_receive(hdht_mux *mux, hdht_bytes frame) {
  if (mux == NULL || !is_valid_bytes(frame)) return HDHT_ERR_INVALID_ARGUMENT;
  if (mux->is_closing) return HDHT_ERR_CLOSED;
  if (mux->is_delivering || mux->is_writing) return HDHT_ERR_INVALID_STATE;
  (void)hd_mux_receive(&mux->core, frame); /* an error stays with the core */
  return deliver(mux);
}

int hdht_mux_fail(hdht_mux *mux, int error) {
  if (mux == NULL || error >= 0) return HDHT_ERR_INVALID_ARGUMENT;
  const int unusable = check_open(mux);
  if (unusable != HDHT_OK) return unusable;
  hd_mux_fail(&mux->core, error);
  (void)deliver(mux);
  return HDHT_OK;
}

int hdht_mux_drained(hdht_mux *mux) {
  if (mux == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const int unusable = check_open(mux);
  if (unusable != HDHT_OK) return unusable;
  hd_mux_drained(&mux->core);
  (void)deliver(mux);
  return HDHT_OK;
}

int hdht_mux_is_drained(const hdht_mux *mux) {
  return mux != NULL && hd_mux_is_drained(&mux->core);
}

int hdht_mux_cork(hdht_mux *mux) {
  if (mux == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const int unusable = check_open(mux);
  return unusable != HDHT_OK ? unusable : hd_mux_cork(&mux->core);
}

int hdht_mux_uncork(hdht_mux *mux) {
  if (mux == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const int unusable = check_open(mux);
  if (unusable != HDHT_OK) return unusable;
  const int error = hd_mux_uncork(&mux->core);
  (void)deliver(mux);
  return error;
}

size_t hdht_mux_channels_count(const hdht_mux *mux) {
  return mux != NULL ? hd_mux_channels_count(&mux->core) : 0;
}

int hdht_mux_has_channel(const hdht_mux *mux, hdht_bytes protocol, hdht_bytes id) {
  return mux != NULL && is_valid_bytes(protocol) && is_valid_bytes(id) && hd_mux_has_channel(&mux->core, protocol, id);
}

void hdht_mux_frame_copy(const hdht_mux_frame *frame, uint8_t *to) {
  memcpy(to, frame->head.data, frame->head.size);
  to += frame->head.size;
  for (size_t i = 0; i < frame->parts_count; i++) {
    if (frame->parts[i].size > 0) memcpy(to, frame->parts[i].data, frame->parts[i].size);
    to += frame->parts[i].size;
  }
}

void hdht_mux_channel_options_init(hdht_mux_channel_options *options, size_t struct_size) {
  const hdht_mux_channel_options defaults = {.struct_size = sizeof defaults};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

int hdht_mux_channel_open(hdht_mux *mux, const hdht_mux_channel_options *options,
                          const hdht_mux_channel_callbacks *callbacks, void *user_data, hdht_mux_channel **channel) {
  hdht_mux_channel_options chosen;
  hdht_mux_channel_callbacks known = {0};
  if (mux == NULL || channel == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  int error = read_channel_options(&chosen, options);
  if (error == HDHT_OK) error = hd_api_read_struct(&known, sizeof known, callbacks);
  if (error != HDHT_OK) return error;
  if (known.on_closed == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  error = check_open(mux);
  if (error != HDHT_OK) return error;

  hdht_mux_channel *opened = hd_allocate(mux->allocator, sizeof *opened);
  if (opened == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *opened = (hdht_mux_channel){.mux = mux, .callbacks = known, .user_data = user_data};
  error = hd_mux_channel_open(&mux->core,
                              &(hd_mux_channel_options){
                                  .protocol = chosen.protocol,
                                  .id = chosen.id,
                                  .aliases = chosen.aliases,
                                  .aliases_count = chosen.aliases_count,
                                  .handshake = chosen.handshake,
                                  .message_types = chosen.message_types,
                                  .is_shared = (chosen.flags & HDHT_MUX_CHANNEL_SHARED) != 0,
                                  .owner = opened,
                              },
                              &opened->core);
  if (error != HDHT_OK) {
    hd_release(mux->allocator, opened, sizeof *opened);
    return error;
  }
  *channel = opened;
  (void)deliver(mux);
  return HDHT_OK;
}

void hdht_mux_channel_close(hdht_mux_channel *channel) {
  if (channel == NULL || channel->mux->is_writing) return;
  hdht_mux *mux = channel->mux;
  hd_mux_channel_close(channel->core);
  (void)deliver(mux);
}

int hdht_mux_channel_send(hdht_mux_channel *channel, uint32_t type, const hdht_bytes *parts, size_t parts_count,
                          int *wants_more) {
  if (channel == NULL || !are_valid_parts(parts, parts_count)) return HDHT_ERR_INVALID_ARGUMENT;
  hdht_mux *mux = channel->mux;
  if (mux->is_writing) return HDHT_ERR_INVALID_STATE;
  if (mux->is_closing) return HDHT_ERR_CLOSED;

  const int error = hd_mux_channel_send(channel->core, type, parts, parts_count);
  if (error == HDHT_OK && wants_more != NULL) *wants_more = hd_mux_is_drained(&mux->core);
  if (error != HDHT_OK || mux->is_closing) (void)deliver(mux); /* all that sending can cause is the end */
  return error;
}

int hdht_mux_channel_header(const hdht_mux_channel *channel, uint32_t type, uint8_t *header, size_t *size) {
  if (channel == NULL || header == NULL || size == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (channel->mux->is_writing) return HDHT_ERR_INVALID_STATE;
  if (channel->mux->is_closing) return HDHT_ERR_CLOSED;
  return hd_mux_channel_header(channel->core, type, header, size);
}

int hdht_mux_pair(hdht_mux *mux, hdht_bytes protocol, hdht_bytes id, const hdht_mux_pair_callbacks *callbacks,
                  void *user_data) {
  hdht_mux_pair_callbacks known = {0};
  if (mux == NULL || !is_valid_name(protocol) || !is_valid_name(id)) return HDHT_ERR_INVALID_ARGUMENT;
  int error = hd_api_read_struct(&known, sizeof known, callbacks);
  if (error != HDHT_OK) return error;
  if (known.on_pair == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  error = check_open(mux);
  if (error != HDHT_OK) return error;

  hook *added = hd_allocate(mux->allocator, sizeof *added);
  if (added == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *added = (hook){.callbacks = known, .user_data = user_data};
  error = hd_mux_pair(&mux->core, protocol, id, added);
  if (error != HDHT_OK) {
    hd_release(mux->allocator, added, sizeof *added);
    return error;
  }
  hd_list_push_back(&mux->hooks, &added->link);
  return HDHT_OK;
}

int hdht_mux_unpair(hdht_mux *mux, hdht_bytes protocol, hdht_bytes id) {
  if (mux == NULL || !is_valid_name(protocol) || !is_valid_name(id)) return HDHT_ERR_INVALID_ARGUMENT;
  if (mux->is_writing) return HDHT_ERR_INVALID_STATE;
  if (mux->is_closing) return HDHT_ERR_CLOSED;
  void *owner;
  const int error = hd_mux_unpair(&mux->core, protocol, id, &owner);
  if (error != HDHT_OK) return error;
  hook *removed = owner;
  hd_list_remove(&removed->link);
  hd_list_push_back(&mux->removed_hooks, &removed->link);
  (void)deliver(mux);
  return HDHT_OK;
}

int hdht_mux_reject(hdht_mux *mux, hdht_bytes protocol, hdht_bytes id) {
  if (mux == NULL || !is_valid_name(protocol) || !is_valid_name(id)) return HDHT_ERR_INVALID_ARGUMENT;
  const int unusable = check_open(mux);
  if (unusable != HDHT_OK) return unusable;
  const int error = hd_mux_reject(&mux->core, protocol, id);
  (void)deliver(mux);
  return error;
}

/* Defaults for NULL and for every limit left 0. */
static int read_options(hdht_mux_options *options, const hdht_mux_options *given) {
  *options = default_options;
  if (given == NULL) return HDHT_OK;
  const int error = hd_api_read_struct(options, sizeof *options, given);
  if (error != HDHT_OK) return error;
  if (options->frame_size_limit == 0) options->frame_size_limit = default_options.frame_size_limit;
  if (options->batch_size_limit == 0) options->batch_size_limit = default_options.batch_size_limit;
  if (options->channels_limit == 0) options->channels_limit = default_options.channels_limit;
  if (options->backlog_limit == 0) options->backlog_limit = default_options.backlog_limit;
  if (options->held_size_limit == 0) options->held_size_limit = default_options.held_size_limit;
  if (options->buffered_size_limit == 0) options->buffered_size_limit = default_options.buffered_size_limit;
  return options->frame_size_limit >= HD_MUX_FRAME_SIZE_LIMIT_MIN ? HDHT_OK : HDHT_ERR_INVALID_ARGUMENT;
}

static int write_frame(void *context, const hd_mux_frame *frame) {
  hdht_mux *mux = context;
  mux->is_writing = true;
  const int result = mux->callbacks.on_frame(mux->user_data, frame);
  mux->is_writing = false;
  return result <= 0 ? result : HDHT_ERR_INVALID_ARGUMENT;
}

static int check_open(const hdht_mux *mux) {
  if (mux->is_closing || hd_mux_error(&mux->core) != HDHT_OK) return HDHT_ERR_CLOSED;
  return mux->is_writing ? HDHT_ERR_INVALID_STATE : HDHT_OK;
}

/* Tells everything that is to be told, and closes the mux if that was asked for. Returns what the mux failed with; it
 * may be gone then. */
static int deliver(hdht_mux *mux) {
  if (mux->is_delivering || mux->is_writing) return HDHT_OK;
  mux->is_delivering = true;
  bool has_more = true;
  while (has_more) {
    if (mux->is_closing) hd_mux_fail(&mux->core, HDHT_ERR_CLOSED);
    release_hooks(mux, &mux->removed_hooks);
    hd_mux_event event;
    has_more = hd_mux_next_event(&mux->core, &event);
    if (has_more) dispatch(mux, &event);
    if (mux->is_closing && hd_mux_error(&mux->core) == HDHT_OK) has_more = true; /* closed in on_frame just now */
  }
  mux->is_delivering = false;
  const int error = hd_mux_error(&mux->core);
  if (mux->is_closing) finish_closing(mux);
  return error;
}

static void dispatch(hdht_mux *mux, const hd_mux_event *event) {
  hdht_mux_channel *channel = event->owner; /* but for PAIR and READING */
  switch (event->kind) {
    case HD_MUX_EVENT_OPENED:
      if (channel->callbacks.on_open != NULL) channel->callbacks.on_open(channel->user_data, channel, event->bytes);
      break;
    case HD_MUX_EVENT_MESSAGE:
      if (channel->callbacks.on_message == NULL) break;
      channel->callbacks.on_message(channel->user_data, channel, event->type, event->bytes);
      break;
    case HD_MUX_EVENT_DRAINED:
      if (channel->callbacks.on_drain != NULL) channel->callbacks.on_drain(channel->user_data, channel);
      break;
    case HD_MUX_EVENT_CLOSED: dispatch_closed(mux, event); break;
    case HD_MUX_EVENT_PAIR: dispatch_pair(mux, event); break;
    case HD_MUX_EVENT_READING:
      if (mux->callbacks.on_reading != NULL) mux->callbacks.on_reading(mux->user_data, event->wants_frames);
      break;
  }
}

/* A channel opened in the callback takes the oldest open of the name, not necessarily this one: so what counts is
 * whether fewer wait than before. The callback may remove its own hook. */
static void dispatch_pair(hdht_mux *mux, const hd_mux_event *event) {
  const hook *asked = event->owner;
  const hdht_mux_pairing pairing = {.protocol = event->protocol, .id = event->id, .handshake = event->bytes};
  const size_t waiting_before = hd_mux_waiting_count(&mux->core, event->protocol, event->id);
  const int answer = asked->callbacks.on_pair(asked->user_data, &pairing);
  if (answer == HDHT_MUX_PAIR_LATER) return;
  if (hd_mux_waiting_count(&mux->core, event->protocol, event->id) < waiting_before) return;
  hd_mux_reject_request(&mux->core, event->request);
}

static void dispatch_closed(hdht_mux *mux, const hd_mux_event *event) {
  hdht_mux_channel *channel = event->owner;
  channel->callbacks.on_closed(channel->user_data, channel, event->reason);
  hd_release(mux->allocator, channel, sizeof *channel);
}

static void finish_closing(hdht_mux *mux) {
  release_hooks(mux, &mux->removed_hooks);
  release_hooks(mux, &mux->hooks);
  const int error = hd_mux_error(&mux->core);
  if (mux->callbacks.on_closed != NULL) {
    mux->callbacks.on_closed(mux->user_data, error == HDHT_ERR_CLOSED ? HDHT_OK : error);
  }
  hd_mux_destroy(&mux->core);
  hd_release(mux->allocator, mux, sizeof *mux);
}

static void release_hooks(hdht_mux *mux, hd_list *hooks) {
  while (!hd_list_is_empty(hooks)) {
    hook *removed = HD_CONTAINER_OF(hd_list_first(hooks), hook, link);
    hd_list_remove(&removed->link);
    if (removed->callbacks.on_removed != NULL) removed->callbacks.on_removed(removed->user_data);
    hd_release(mux->allocator, removed, sizeof *removed);
  }
}

static bool is_valid_bytes(hdht_bytes bytes) {
  return bytes.data != NULL || bytes.size == 0;
}

static bool is_valid_name(hdht_bytes name) {
  return is_valid_bytes(name) && name.size <= HDHT_MUX_NAME_SIZE_LIMIT;
}

static int read_channel_options(hdht_mux_channel_options *options, const hdht_mux_channel_options *given) {
  *options = (hdht_mux_channel_options){0};
  const int error = hd_api_read_struct(options, sizeof *options, given);
  if (error != HDHT_OK) return error;
  if (!is_valid_name(options->protocol) || !is_valid_name(options->id)) return HDHT_ERR_INVALID_ARGUMENT;
  if (!is_valid_bytes(options->handshake)) return HDHT_ERR_INVALID_ARGUMENT;
  if (options->aliases_count > HDHT_MUX_ALIASES_LIMIT) return HDHT_ERR_INVALID_ARGUMENT;
  if (options->aliases_count > 0 && options->aliases == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  for (size_t i = 0; i < options->aliases_count; i++) {
    if (!is_valid_name(options->aliases[i])) return HDHT_ERR_INVALID_ARGUMENT;
  }
  return HDHT_OK;
}

static bool are_valid_parts(const hdht_bytes *parts, size_t parts_count) {
  if (parts == NULL) return parts_count == 0;
  for (size_t i = 0; i < parts_count; i++) {
    if (!is_valid_bytes(parts[i])) return false;
  }
  return true;
}

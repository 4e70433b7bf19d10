/* Who opened what: matches the opens of both sides by name and id, oldest first, and answers those that nobody wants.
 */
#include "mux/mux_state.h"

/* An open on its way out. */
typedef struct open_frame {
  uint8_t start[2 * HD_CODEC_UINT_MAX_SIZE]; /* our id and the length of the name */
  uint8_t id_size[HD_CODEC_UINT_MAX_SIZE];
  hd_bytes parts[5];
} open_frame;

enum { OPEN_PARTS_COUNT = sizeof(((open_frame *)NULL)->parts) / sizeof(hd_bytes) };

static bool is_taken(const hd_mux *mux, const hd_mux_key *key);
static hd_mux_waiting *oldest_waiting(const hd_mux *mux, const hd_mux_channel *channel);
static void fill_open_frame(open_frame *frame, uint32_t id, hd_bytes protocol, const hd_mux_channel_options *options);
static size_t open_frame_size(hd_bytes protocol, const hd_mux_channel_options *options);
static int write_open(hd_mux *mux, uint32_t id, hd_bytes protocol, const hd_mux_channel_options *options);
static void enter(hd_mux *mux, hd_mux_channel *channel);
static void take(hd_mux *mux, hd_mux_channel *channel, hd_mux_waiting *waiting);
static hd_mux_channel *oldest_unanswered(const hd_mux *mux, const hd_mux_key *key);
static int answer(hd_mux *mux, hd_mux_channel *channel, uint32_t remote_id, hd_bytes handshake, hd_mux_event *event,
                  bool *has_event);
static void answer_to_abandoned(hd_mux *mux, hd_mux_channel *channel);
static const hd_mux_hook *find_hook(const hd_mux *mux, const hd_mux_key *key);
static int let_wait(hd_mux *mux, const hd_mux_hook *hook, const hd_mux_key *key, uint32_t remote_id, hd_bytes handshake,
                    hd_mux_event *event, bool *has_event);
static void reject(hd_mux *mux, hd_mux_waiting *waiting);

int hd_mux_channel_open(hd_mux *mux, const hd_mux_channel_options *options, hd_mux_channel **channel) {
  hd_assert(options->protocol.size <= HDHT_MUX_NAME_SIZE_LIMIT);
  hd_assert(options->id.size <= HDHT_MUX_NAME_SIZE_LIMIT);
  hd_assert(options->aliases_count <= HDHT_MUX_ALIASES_LIMIT);
  if (mux->error != HDHT_OK) return HDHT_ERR_CLOSED;
  const hd_mux_key key = hd_mux_key_of(options->protocol, options->id);
  if (!options->is_shared && is_taken(mux, &key)) return HDHT_ERR_EXISTS;
  const int error = hd_mux_local_ids_reserve(&mux->local_ids);
  if (error != HDHT_OK) return error;
  hd_mux_channel *opened = hd_mux_channel_create(mux->allocator, mux, options);
  if (opened == NULL) return HDHT_ERR_OUT_OF_MEMORY;

  /* An answer names the channel as the peer does: the peer looks for no other name. */
  hd_mux_waiting *waiting = oldest_waiting(mux, opened);
  const hd_bytes protocol = waiting != NULL ? waiting->name.key.protocol : options->protocol;
  if (open_frame_size(protocol, options) > mux->output.frame_size_limit) {
    hd_mux_channel_destroy(mux->allocator, opened);
    return HDHT_ERR_TOO_LARGE;
  }
  enter(mux, opened);
  if (waiting != NULL) take(mux, opened, waiting);
  *channel = opened;

  const bool is_written = write_open(mux, opened->local_id, protocol, options) == HDHT_OK;
  if (is_written && waiting != NULL && waiting->is_closed) hd_mux_channel_finish_after_waiting(opened);
  return HDHT_OK;
}

int hd_mux_receive_open(hd_mux *mux, hd_bytes body, hd_mux_event *event, bool *has_event) {
  hd_mux_open_body open;
  const int error = hd_mux_read_open(body, &open);
  if (error != HDHT_OK) return error;
  if (!hd_mux_remote_ids_claim(&mux->remote_ids, open.id)) return HDHT_ERR_MUX_OPEN;

  const uint32_t remote_id = (uint32_t)open.id;
  if (open.protocol.size <= HDHT_MUX_NAME_SIZE_LIMIT && open.channel_id.size <= HDHT_MUX_NAME_SIZE_LIMIT) {
    const hd_mux_key key = hd_mux_key_of(open.protocol, open.channel_id);
    hd_mux_channel *channel = oldest_unanswered(mux, &key);
    if (channel != NULL) return answer(mux, channel, remote_id, open.handshake, event, has_event);
    const hd_mux_hook *hook = find_hook(mux, &key);
    if (hook != NULL) return let_wait(mux, hook, &key, remote_id, open.handshake, event, has_event);
  }
  hd_mux_write_control(mux, HD_MUX_REJECT, remote_id);
  return HDHT_OK;
}

int hd_mux_receive_reject(hd_mux *mux, hd_bytes body) {
  uint64_t id;
  const int error = hd_mux_read_id(body, &id);
  if (error != HDHT_OK) return error;

  hd_mux_channel *channel = hd_mux_local_ids_find(&mux->local_ids, id);
  if (channel == NULL || channel->state == HD_MUX_CHANNEL_OPEN) return HDHT_ERR_MUX_REJECT;
  if (channel->state == HD_MUX_CHANNEL_ABANDONED) {
    hd_mux_channel_answered(channel);
  } else {
    hd_mux_channel_finish(channel, HDHT_MUX_REJECTED);
  }
  return HDHT_OK;
}

int hd_mux_receive_close(hd_mux *mux, hd_bytes body) {
  uint64_t id;
  const int error = hd_mux_read_id(body, &id);
  if (error != HDHT_OK) return error;

  const hd_mux_remote_id *slot = hd_mux_remote_ids_find(&mux->remote_ids, id);
  if (slot == NULL) return HDHT_OK;
  if (slot->channel != NULL) {
    hd_mux_channel_finish(slot->channel, HDHT_MUX_CLOSED_BY_PEER);
  } else if (slot->waiting != NULL && slot->waiting->messages_size > 0) {
    slot->waiting->is_closed = true; /* the messages were sent before the close and still count */
  } else if (slot->waiting != NULL) {
    reject(mux, slot->waiting);
  }
  return HDHT_OK;
}

bool hd_mux_has_channel(const hd_mux *mux, hd_bytes protocol, hd_bytes id) {
  const hd_mux_key key = hd_mux_key_of(protocol, id);
  return is_taken(mux, &key);
}

int hd_mux_pair(hd_mux *mux, hd_bytes protocol, hd_bytes id, void *owner) {
  if (mux->error != HDHT_OK) return HDHT_ERR_CLOSED;
  const hd_mux_key key = hd_mux_key_of(protocol, id);
  if (hd_mux_names_find(&mux->names, &key, HD_MUX_NAME_HOOK, NULL) != NULL) return HDHT_ERR_EXISTS;

  const size_t size = sizeof(hd_mux_hook) + protocol.size + id.size;
  hd_mux_hook *hook = hd_allocate(mux->allocator, size);
  if (hook == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  uint8_t *next = (uint8_t *)(hook + 1);
  *hook = (hd_mux_hook){
      .name = {.key = key, .kind = HD_MUX_NAME_HOOK, .subject = hook},
      .owner = owner,
      .allocation_size = size,
  };
  hook->name.key.protocol = hd_mux_keep_bytes(&next, protocol);
  hook->name.key.id = hd_mux_keep_bytes(&next, id);
  hd_list_push_back(&mux->hooks, &hook->link);
  hd_mux_names_insert(&mux->names, &hook->name);
  return HDHT_OK;
}

int hd_mux_unpair(hd_mux *mux, hd_bytes protocol, hd_bytes id, void **owner) {
  const hd_mux_key key = hd_mux_key_of(protocol, id);
  hd_mux_name *name = hd_mux_names_find(&mux->names, &key, HD_MUX_NAME_HOOK, NULL);
  if (name == NULL) return HDHT_ERR_NOT_FOUND;
  hd_mux_hook *hook = name->subject;
  if (owner != NULL) *owner = hook->owner;
  hd_list_remove(&hook->link);
  hd_mux_names_remove(&mux->names, name);
  hd_release(mux->allocator, hook, hook->allocation_size);
  return HDHT_OK;
}

int hd_mux_reject(hd_mux *mux, hd_bytes protocol, hd_bytes id) {
  if (mux->error != HDHT_OK) return HDHT_ERR_CLOSED;
  const hd_mux_key key = hd_mux_key_of(protocol, id);
  hd_mux_name *name = hd_mux_names_find(&mux->names, &key, HD_MUX_NAME_WAITING, NULL);
  if (name == NULL) return HDHT_ERR_NOT_FOUND;
  for (; name != NULL; name = hd_mux_names_find(&mux->names, &key, HD_MUX_NAME_WAITING, NULL)) {
    reject(mux, name->subject);
  }
  return mux->error;
}

void hd_mux_reject_request(hd_mux *mux, uint32_t request) {
  const hd_mux_remote_id *slot = hd_mux_remote_ids_find(&mux->remote_ids, request);
  if (slot != NULL && slot->waiting != NULL) reject(mux, slot->waiting);
}

size_t hd_mux_waiting_count(const hd_mux *mux, hd_bytes protocol, hd_bytes id) {
  const hd_mux_key key = hd_mux_key_of(protocol, id);
  size_t count = 0;
  const hd_mux_name *name = NULL;
  while ((name = hd_mux_names_find(&mux->names, &key, HD_MUX_NAME_WAITING, name)) != NULL) count++;
  return count;
}

void hd_mux_unlink_waiting(hd_mux *mux, hd_mux_waiting *waiting) {
  hd_assert(mux->waitings_count > 0);
  hd_list_remove(&waiting->link);
  mux->waitings_count--;
  hd_mux_names_remove(&mux->names, &waiting->name);
  hd_mux_remote_ids_find(&mux->remote_ids, waiting->remote_id)->waiting = NULL;
}

void hd_mux_spend_waiting(hd_mux *mux, hd_mux_waiting *waiting) {
  mux->buffered_size -= waiting->buffered_size;
  waiting->buffered_size = 0;
  hd_list_push_back(&mux->spent_waitings, &waiting->link);
}

static bool is_taken(const hd_mux *mux, const hd_mux_key *key) {
  const hd_mux_name *name = NULL;
  while ((name = hd_mux_names_find(&mux->names, key, HD_MUX_NAME_CHANNEL, name)) != NULL) {
    if (hd_mux_channel_is_usable(name->subject)) return true;
  }
  return false;
}

/* Under any of the channel's names. */
static hd_mux_waiting *oldest_waiting(const hd_mux *mux, const hd_mux_channel *channel) {
  hd_mux_waiting *oldest = NULL;
  for (size_t i = 0; i < channel->names_count; i++) {
    const hd_mux_name *name = hd_mux_names_find(&mux->names, &channel->names[i].key, HD_MUX_NAME_WAITING, NULL);
    hd_mux_waiting *waiting = name != NULL ? name->subject : NULL;
    if (waiting != NULL && (oldest == NULL || waiting->order < oldest->order)) oldest = waiting;
  }
  return oldest;
}

static void fill_open_frame(open_frame *frame, uint32_t id, hd_bytes protocol, const hd_mux_channel_options *options) {
  hd_writer start = hd_writer_of(frame->start, sizeof frame->start);
  (void)hd_codec_write_uint(&start, id); /* both arrays hold the longest integers */
  (void)hd_codec_write_uint(&start, protocol.size);
  hd_writer id_size = hd_writer_of(frame->id_size, sizeof frame->id_size);
  (void)hd_codec_write_uint(&id_size, options->id.size);

  frame->parts[0] = hd_bytes_of(frame->start, (size_t)(start.next - frame->start));
  frame->parts[1] = protocol;
  frame->parts[2] = hd_bytes_of(frame->id_size, (size_t)(id_size.next - frame->id_size));
  frame->parts[3] = options->id;
  frame->parts[4] = options->handshake;
}

/* With the longest id, since ours is not known yet. */
static size_t open_frame_size(hd_bytes protocol, const hd_mux_channel_options *options) {
  open_frame frame;
  fill_open_frame(&frame, UINT32_MAX, protocol, options);
  return hd_mux_output_frame_size(HD_MUX_CONTROL_CHANNEL, HD_MUX_OPEN, frame.parts, OPEN_PARTS_COUNT);
}

/* An open with a handshake joins no batch: versions of the reference up to 3.4.0 look at the handshake of an open that
 * waits only when the rest of the batch has been read, and then where that ended, which ends their process. */
static int write_open(hd_mux *mux, uint32_t id, hd_bytes protocol, const hd_mux_channel_options *options) {
  open_frame frame;
  fill_open_frame(&frame, id, protocol, options);
  return options->handshake.size > 0
             ? hd_mux_write_apart(mux, HD_MUX_CONTROL_CHANNEL, HD_MUX_OPEN, frame.parts, OPEN_PARTS_COUNT)
             : hd_mux_write(mux, HD_MUX_CONTROL_CHANNEL, HD_MUX_OPEN, frame.parts, OPEN_PARTS_COUNT);
}

static void enter(hd_mux *mux, hd_mux_channel *channel) {
  channel->local_id = hd_mux_local_ids_take(&mux->local_ids, channel);
  for (size_t i = 0; i < channel->names_count; i++) hd_mux_names_insert(&mux->names, &channel->names[i]);
}

static void take(hd_mux *mux, hd_mux_channel *channel, hd_mux_waiting *waiting) {
  hd_mux_unlink_waiting(mux, waiting);
  hd_mux_remote_ids_find(&mux->remote_ids, waiting->remote_id)->channel = channel;
  channel->remote_id = waiting->remote_id;
  channel->state = HD_MUX_CHANNEL_OPEN;
  channel->waiting = waiting;
  hd_mux_channel_notice(channel, HD_MUX_NOTICE_OPENED);
}

/* Abandoned ones take part: the peer answers all opens in order. */
static hd_mux_channel *oldest_unanswered(const hd_mux *mux, const hd_mux_key *key) {
  const hd_mux_name *name = NULL;
  while ((name = hd_mux_names_find(&mux->names, key, HD_MUX_NAME_CHANNEL, name)) != NULL) {
    hd_mux_channel *channel = name->subject;
    if (channel->state != HD_MUX_CHANNEL_OPEN) return channel;
  }
  return NULL;
}

static int answer(hd_mux *mux, hd_mux_channel *channel, uint32_t remote_id, hd_bytes handshake, hd_mux_event *event,
                  bool *has_event) {
  if (channel->state == HD_MUX_CHANNEL_ABANDONED) {
    answer_to_abandoned(mux, channel);
    return HDHT_OK;
  }
  const int error = hd_mux_remote_ids_reserve(&mux->remote_ids, remote_id);
  if (error != HDHT_OK) return error; /* too late to reject: the peer took our open for its answer */
  hd_mux_remote_ids_find(&mux->remote_ids, remote_id)->channel = channel;
  channel->remote_id = remote_id;
  channel->state = HD_MUX_CHANNEL_OPEN;
  *event = (hd_mux_event){.kind = HD_MUX_EVENT_OPENED, .owner = channel->owner, .channel = channel, .bytes = handshake};
  *has_event = true;
  return HDHT_OK;
}

/* Our close, sent long ago, closes the peer's channel and frees our id there; but the reference forgets a close that
 * comes before its answer, keeps such a channel for ever and destroys the stream when the id is used again. A second
 * close ends that channel, and is ignored by those who remember the first. */
static void answer_to_abandoned(hd_mux *mux, hd_mux_channel *channel) {
  const uint32_t local_id = channel->local_id;
  hd_mux_channel_answered(channel);
  hd_mux_write_control(mux, HD_MUX_CLOSE, local_id);
}

/* The hook of this very id goes before the one of any id. */
static const hd_mux_hook *find_hook(const hd_mux *mux, const hd_mux_key *key) {
  const hd_mux_name *name = hd_mux_names_find(&mux->names, key, HD_MUX_NAME_HOOK, NULL);
  if (name == NULL) {
    const hd_mux_key any_id = hd_mux_key_of(key->protocol, hd_bytes_of(NULL, 0));
    name = hd_mux_names_find(&mux->names, &any_id, HD_MUX_NAME_HOOK, NULL);
  }
  return name != NULL ? name->subject : NULL;
}

static int let_wait(hd_mux *mux, const hd_mux_hook *hook, const hd_mux_key *key, uint32_t remote_id, hd_bytes handshake,
                    hd_mux_event *event, bool *has_event) {
  if (mux->waitings_count >= mux->waitings_limit) return HDHT_ERR_MUX_BACKLOG;
  if (hd_mux_waiting_size(key, handshake) > mux->held_size_limit - mux->held_size) return HDHT_ERR_MUX_BACKLOG;

  hd_mux_waiting *waiting = NULL;
  if (hd_mux_remote_ids_reserve(&mux->remote_ids, remote_id) == HDHT_OK) {
    waiting = hd_mux_waiting_create(mux->allocator, remote_id, key, handshake, mux->waitings_order++);
  }
  if (waiting == NULL) {
    hd_mux_write_control(mux, HD_MUX_REJECT, remote_id);
    return HDHT_OK;
  }
  mux->held_size += hd_mux_waiting_held_size(waiting);
  mux->waitings_count++;
  hd_list_push_back(&mux->waitings, &waiting->link);
  hd_mux_names_insert(&mux->names, &waiting->name);
  hd_mux_remote_ids_find(&mux->remote_ids, remote_id)->waiting = waiting;
  *event = (hd_mux_event){
      .kind = HD_MUX_EVENT_PAIR,
      .request = remote_id,
      .owner = hook->owner,
      .bytes = handshake,
      .protocol = key->protocol,
      .id = key->id,
  };
  *has_event = true;
  return HDHT_OK;
}

static void reject(hd_mux *mux, hd_mux_waiting *waiting) {
  const uint32_t remote_id = waiting->remote_id;
  hd_mux_unlink_waiting(mux, waiting);
  hd_mux_spend_waiting(mux, waiting);
  hd_mux_write_control(mux, HD_MUX_REJECT, remote_id);
}

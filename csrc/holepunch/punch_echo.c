#include "holepunch/punch_echo.h"

void hd_punch_echo_init(hd_punch_echo *echo) {
  *echo = (hd_punch_echo){0};
}

static hd_punch_echo_source *find(hd_punch_echo *echo, hd_socket_id socket, const hd_address *from) {
  for (unsigned i = 0; i < echo->sources_count; i++) {
    hd_punch_echo_source *source = &echo->sources[i];
    if (source->socket == socket && hd_address_equal(&source->from, from)) return source;
  }
  return NULL;
}

static hd_punch_echo_source *make_room(hd_punch_echo *echo) {
  if (echo->sources_count < HD_PUNCH_ECHO_SOURCES) return &echo->sources[echo->sources_count++];
  hd_punch_echo_source *oldest = &echo->sources[0];
  for (unsigned i = 1; i < echo->sources_count; i++) {
    if (hd_time_before(echo->sources[i].heard_at, oldest->heard_at)) oldest = &echo->sources[i];
  }
  return oldest;
}

void hd_punch_echo_add(hd_punch_echo *echo, hd_time now, hd_socket_id socket, const hd_address *from) {
  hd_punch_echo_source *source = find(echo, socket, from);
  if (source == NULL) {
    source = make_room(echo);
    *source = (hd_punch_echo_source){.socket = socket, .from = *from};
  }
  source->heard_at = now;
  source->next_at = now;
  source->repeats_left = HD_PUNCH_ECHO_REPEATS;
}

static bool may_answer(const hd_punch_echo *echo, const hd_punch_echo_source *source) {
  return source->answers_count < HD_PUNCH_ECHO_SOURCE_LIMIT && echo->answers_count < HD_PUNCH_ECHO_LIMIT;
}

hd_time hd_punch_echo_deadline(const hd_punch_echo *echo) {
  hd_time deadline = HD_TIME_NEVER;
  for (unsigned i = 0; i < echo->sources_count; i++) {
    if (may_answer(echo, &echo->sources[i])) deadline = hd_time_earlier(deadline, echo->sources[i].next_at);
  }
  return deadline;
}

static void answer(hd_punch_echo *echo, hd_time now, hd_punch_echo_source *source) {
  echo->answers_count++;
  source->answers_count++;
  source->next_at = source->repeats_left == 0 ? HD_TIME_NEVER : hd_time_add(now, HD_PUNCH_ECHO_INTERVAL);
  if (source->repeats_left > 0) source->repeats_left--;
}

bool hd_punch_echo_next(hd_punch_echo *echo, hd_time now, hd_punch_probe *probe) {
  for (unsigned i = 0; i < echo->sources_count; i++) {
    hd_punch_echo_source *source = &echo->sources[i];
    if (!hd_time_is_due(source->next_at, now) || !may_answer(echo, source)) continue;
    *probe = (hd_punch_probe){.socket = source->socket, .to = source->from, .ttl = HD_PUNCH_TTL};
    answer(echo, now, source);
    return true;
  }
  return false;
}

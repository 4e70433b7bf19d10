#include "holepunch/punch_sockets.h"

#include "base/assertion.h"

static hd_punch_socket wanted_socket(hd_punch_sockets *sockets) {
  return (hd_punch_socket){.key = sockets->next_key++, .state = HD_PUNCH_SOCKET_WANTED};
}

static void begin_sampling(hd_punch_sockets *sockets) {
  sockets->sample_rounds++;
  sockets->wants_samples = true;
  sockets->awaits_samples = true;
}

void hd_punch_sockets_init(hd_punch_sockets *sockets, const hd_allocator *allocator, bool is_open) {
  *sockets = (hd_punch_sockets){.allocator = allocator, .next_key = 1};
  sockets->main = wanted_socket(sockets);
  hd_nat_analysis_init(&sockets->analysis, is_open);
}

void hd_punch_sockets_destroy(hd_punch_sockets *sockets) {
  hd_release(sockets->allocator, sockets->extras, (HD_PUNCH_SOCKETS_MAX - 1) * sizeof *sockets->extras);
  sockets->extras = NULL;
  sockets->extras_count = 0;
}

void hd_punch_sockets_grow(hd_punch_sockets *sockets, unsigned count) {
  hd_assert(count <= HD_PUNCH_SOCKETS_MAX);
  if (count <= 1) return;
  if (sockets->extras == NULL) {
    sockets->extras = hd_allocate_array(sockets->allocator, HD_PUNCH_SOCKETS_MAX - 1, sizeof *sockets->extras);
    if (sockets->extras == NULL) return;
  }
  while (sockets->extras_count + 1 < count) sockets->extras[sockets->extras_count++] = wanted_socket(sockets);
}

static void close_socket(hd_punch_sockets *sockets, hd_punch_socket *socket) {
  if (socket->state == HD_PUNCH_SOCKET_OPEN) {
    hd_assert(sockets->closing_count < sizeof sockets->closing / sizeof sockets->closing[0]);
    sockets->closing[sockets->closing_count++] = socket->id;
  }
  socket->state = HD_PUNCH_SOCKET_NONE;
}

bool hd_punch_sockets_reopen(hd_punch_sockets *sockets) {
  if (sockets->reopens_count == HD_PUNCH_REOPENS_LIMIT) return false;
  sockets->reopens_count++;
  close_socket(sockets, &sockets->main);
  sockets->main = wanted_socket(sockets);
  sockets->sample_rounds = 0;
  sockets->wants_samples = false;
  sockets->awaits_samples = false;
  hd_nat_analysis_init(&sockets->analysis, sockets->analysis.is_open);
  return true;
}

unsigned hd_punch_sockets_count(const hd_punch_sockets *sockets) {
  return sockets->extras_count + 1;
}

hd_punch_socket *hd_punch_sockets_at(hd_punch_sockets *sockets, unsigned index) {
  hd_assert(index < hd_punch_sockets_count(sockets));
  return index == 0 ? &sockets->main : &sockets->extras[index - 1];
}

static const hd_punch_socket *look_at(const hd_punch_sockets *sockets, unsigned index) {
  return index == 0 ? &sockets->main : &sockets->extras[index - 1];
}

bool hd_punch_sockets_take_wanted(hd_punch_sockets *sockets, uint32_t *key) {
  for (unsigned i = 0; i < hd_punch_sockets_count(sockets); i++) {
    hd_punch_socket *socket = hd_punch_sockets_at(sockets, i);
    if (socket->state != HD_PUNCH_SOCKET_WANTED) continue;
    socket->state = HD_PUNCH_SOCKET_OPENING;
    *key = socket->key;
    return true;
  }
  return false;
}

static hd_punch_socket *find_opening(hd_punch_sockets *sockets, uint32_t key) {
  for (unsigned i = 0; i < hd_punch_sockets_count(sockets); i++) {
    hd_punch_socket *socket = hd_punch_sockets_at(sockets, i);
    if (socket->key == key && socket->state == HD_PUNCH_SOCKET_OPENING) return socket;
  }
  return NULL;
}

void hd_punch_sockets_opened(hd_punch_sockets *sockets, uint32_t key, hd_socket_id id) {
  hd_punch_socket *socket = find_opening(sockets, key);
  if (socket == NULL) {
    hd_punch_socket stray = {.id = id, .state = HD_PUNCH_SOCKET_OPEN};
    if (id != HD_SOCKET_NONE) close_socket(sockets, &stray);
    return;
  }
  socket->id = id;
  socket->state = id == HD_SOCKET_NONE ? HD_PUNCH_SOCKET_NONE : HD_PUNCH_SOCKET_OPEN;
  if (socket == &sockets->main && id != HD_SOCKET_NONE && !sockets->analysis.is_open) begin_sampling(sockets);
}

bool hd_punch_sockets_take_closing(hd_punch_sockets *sockets, hd_socket_id *id) {
  if (sockets->closing_count == 0) return false;
  *id = sockets->closing[--sockets->closing_count];
  return true;
}

void hd_punch_sockets_release(hd_punch_sockets *sockets, hd_socket_id kept) {
  for (unsigned i = 0; i < hd_punch_sockets_count(sockets); i++) {
    hd_punch_socket *socket = hd_punch_sockets_at(sockets, i);
    if (socket->state == HD_PUNCH_SOCKET_OPEN && socket->id == kept) socket->state = HD_PUNCH_SOCKET_NONE;
    close_socket(sockets, socket);
  }
  sockets->wants_samples = false;
}

bool hd_punch_sockets_contain(const hd_punch_sockets *sockets, hd_socket_id id) {
  for (unsigned i = 0; i < hd_punch_sockets_count(sockets); i++) {
    const hd_punch_socket *socket = look_at(sockets, i);
    if (socket->state == HD_PUNCH_SOCKET_OPEN && socket->id == id) return true;
  }
  return false;
}

bool hd_punch_sockets_main_is_open(const hd_punch_sockets *sockets) {
  return sockets->main.state == HD_PUNCH_SOCKET_OPEN;
}

bool hd_punch_sockets_main_failed(const hd_punch_sockets *sockets) {
  return sockets->main.state == HD_PUNCH_SOCKET_NONE;
}

bool hd_punch_sockets_are_opening(const hd_punch_sockets *sockets) {
  for (unsigned i = 0; i < hd_punch_sockets_count(sockets); i++) {
    const uint8_t state = look_at(sockets, i)->state;
    if (state == HD_PUNCH_SOCKET_WANTED || state == HD_PUNCH_SOCKET_OPENING) return true;
  }
  return false;
}

void hd_punch_sockets_sample(hd_punch_sockets *sockets, const hd_address *reported, const hd_address *helper) {
  (void)hd_nat_analysis_add(&sockets->analysis, reported, helper);
}

/* A second set only when the first was too small: some helpers are always gone. */
void hd_punch_sockets_samples_end(hd_punch_sockets *sockets) {
  if (!sockets->awaits_samples) return;
  sockets->awaits_samples = false;
  if (sockets->analysis.reports_count < HD_PUNCH_SAMPLES_WANTED && sockets->sample_rounds < HD_PUNCH_SAMPLE_ROUNDS) {
    begin_sampling(sockets);
  }
}

bool hd_punch_sockets_take_sampling(hd_punch_sockets *sockets) {
  const bool wants = sockets->wants_samples;
  sockets->wants_samples = false;
  return wants;
}

bool hd_punch_sockets_are_analysed(const hd_punch_sockets *sockets) {
  if (hd_punch_sockets_main_failed(sockets)) return true;
  if (!hd_punch_sockets_main_is_open(sockets)) return false;
  return !sockets->awaits_samples || hd_nat_analysis_is_settled(&sockets->analysis, HD_PUNCH_SAMPLES_WANTED);
}

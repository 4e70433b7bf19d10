#include "holepunch/punch_remote.h"

void hd_punch_remote_init(hd_punch_remote *remote, const hd_address *observed) {
  *remote = (hd_punch_remote){.observed = *observed};
}

static bool is_verified(const hd_punch_remote *remote, const hd_address *host) {
  for (unsigned i = 0; i < remote->verified_count; i++) {
    if (hd_address_same_host(&remote->verified[i], host)) return true;
  }
  return false;
}

static bool is_trusted(const hd_punch_remote *remote, const hd_address *host) {
  return is_verified(remote, host) || hd_address_same_host(&remote->observed, host);
}

/* Numbers this version does not know stand for nothing known. */
static hd_nat_kind kind_of(uint64_t number) {
  return number <= HD_NAT_RANDOM ? (hd_nat_kind)number : HD_NAT_UNKNOWN;
}

static void take_addresses(hd_punch_remote *remote, hdht_address_list list) {
  hd_address address;
  unsigned named_count = 0;
  remote->addresses_count = 0;
  while (remote->addresses_count < HD_PUNCH_ADDRESSES_LIMIT && hdht_address_list_next(&list, &address)) {
    if (!is_trusted(remote, &address) && named_count++ >= HD_PUNCH_NAMED_LIMIT) continue;
    remote->addresses[remote->addresses_count++] =
        (hd_punch_remote_address){.address = address, .is_verified = is_verified(remote, &address)};
  }
}

void hd_punch_remote_update(hd_punch_remote *remote, const hd_messages_holepunch_payload *payload) {
  if (remote->was_heard && payload->round < remote->round) return;
  remote->was_heard = true;
  remote->round = payload->round;
  remote->is_punching = payload->is_punching;
  remote->nat = kind_of(payload->nat);
  take_addresses(remote, payload->addresses);
  if (payload->token == NULL) return;
  remote->has_token = true;
  memcpy(remote->token, payload->token, sizeof remote->token);
}

void hd_punch_remote_verify(hd_punch_remote *remote, const hd_address *host) {
  if (!is_verified(remote, host) && remote->verified_count < HD_PUNCH_ADDRESSES_LIMIT) {
    hd_address added = *host;
    added.port = 0;
    remote->verified[remote->verified_count++] = added;
  }
  for (unsigned i = 0; i < remote->addresses_count; i++) {
    remote->addresses[i].is_verified = is_verified(remote, &remote->addresses[i].address);
  }
}

const hd_address *hd_punch_remote_verified_address(const hd_punch_remote *remote) {
  for (unsigned i = 0; i < remote->addresses_count; i++) {
    if (remote->addresses[i].is_verified) return &remote->addresses[i].address;
  }
  return NULL;
}

bool hd_punch_remote_has_host(const hd_punch_remote *remote, const hd_address *host) {
  if (is_trusted(remote, host)) return true;
  for (unsigned i = 0; i < remote->addresses_count; i++) {
    if (hd_address_same_host(&remote->addresses[i].address, host)) return true;
  }
  return false;
}

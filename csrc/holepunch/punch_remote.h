/* What is known of the other side: what it said in its latest message, and which of its hosts have proven themselves.
 *
 * A peer can name any address as its own. So hosts are of three kinds: verified (a token sent there came back),
 * observed (a relay saw the peer there), and merely named. Only the first may get the many probes of a random punch,
 * and of the last only HD_PUNCH_NAMED_LIMIT are remembered. Owns nothing and may be copied. */
#ifndef HD_PUNCH_REMOTE_H
#define HD_PUNCH_REMOTE_H

#include "holepunch/punch_secret.h"
#include "nat/nat_kind.h"

#define HD_PUNCH_NAMED_LIMIT 2

typedef struct hd_punch_remote_address {
  hd_address address; /* port 0: behind a NAT that picks one per destination */
  bool is_verified;
} hd_punch_remote_address;

typedef struct hd_punch_remote {
  bool was_heard;
  bool is_punching;
  bool has_token;
  hd_nat_kind nat;
  uint64_t round; /* of the latest message */
  uint8_t token[HDHT_TOKEN_SIZE];
  hd_address observed; /* where a relay last saw it */
  unsigned addresses_count;
  hd_punch_remote_address addresses[HD_PUNCH_ADDRESSES_LIMIT];
  unsigned verified_count;
  hd_address verified[HD_PUNCH_ADDRESSES_LIMIT]; /* hosts, port 0 */
} hd_punch_remote;

/* Nothing heard yet of a peer whom a relay saw at this address, or none. */
void hd_punch_remote_init(hd_punch_remote *remote, const hd_address *observed);

/* Takes over what a message says; one of an earlier round than the latest changes nothing. Addresses are IPv4. */
void hd_punch_remote_update(hd_punch_remote *remote, const hd_messages_holepunch_payload *payload);

/* A token sent to this host came back. */
void hd_punch_remote_verify(hd_punch_remote *remote, const hd_address *host);

/* The first address with a verified host, or NULL. */
const hd_address *hd_punch_remote_verified_address(const hd_punch_remote *remote);

/* Whether the host is where the peer was seen, or one it named. */
bool hd_punch_remote_has_host(const hd_punch_remote *remote, const hd_address *host);

#endif

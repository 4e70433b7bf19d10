#include "noise/noise_handshake.h"

#include "crypto/secret.h"

/* Tokens as in the Noise document; END closes a message. */
typedef enum token { END, E, S, EE, ES, SE, SS } token;

#define TOKENS_MAX 5

typedef struct pattern {
  const char *protocol_name;
  uint8_t messages_count;
  uint8_t messages[3][TOKENS_MAX]; /* the initiator writes the first, then they take turns */
} pattern;

static const pattern patterns[] = {
    [HD_NOISE_IK] = {.protocol_name = "Noise_IK_Ed25519_ChaChaPoly_BLAKE2b",
                     .messages_count = 2,
                     .messages = {{E, ES, S, SS, END}, {E, EE, SE, END}}},
    [HD_NOISE_XX] = {.protocol_name = "Noise_XX_Ed25519_ChaChaPoly_BLAKE2b",
                     .messages_count = 3,
                     .messages = {{E, END}, {E, EE, S, ES, END}, {S, SE, END}}},
};

static hd_bytes key_bytes(const uint8_t public_key[HD_PUBLIC_KEY_SIZE]) {
  return hd_bytes_of(public_key, HD_PUBLIC_KEY_SIZE);
}

void hd_noise_handshake_init(hd_noise_handshake *handshake, const hd_noise_options *options) {
  const bool knows_remote = options->pattern == HD_NOISE_IK && options->is_initiator;
  hd_assert(knows_remote == (options->remote_public_key != NULL));

  memset(handshake, 0, sizeof *handshake);
  handshake->pattern = options->pattern;
  handshake->is_initiator = options->is_initiator;
  handshake->static_key = *options->static_key;
  memcpy(handshake->ephemeral_seed, options->ephemeral_seed, HD_SEED_SIZE);
  if (knows_remote) {
    memcpy(handshake->remote_static, options->remote_public_key, HD_PUBLIC_KEY_SIZE);
    handshake->has_remote_static = true;
  }

  hd_noise_symmetric_init(&handshake->symmetric, patterns[options->pattern].protocol_name);
  hd_noise_symmetric_mix_hash(&handshake->symmetric, options->prologue);
  if (options->pattern == HD_NOISE_IK) { /* the pre-message: the responder's key is known beforehand */
    const uint8_t *responder = knows_remote ? handshake->remote_static : handshake->static_key.public_key;
    hd_noise_symmetric_mix_hash(&handshake->symmetric, key_bytes(responder));
  }
}

void hd_noise_handshake_destroy(hd_noise_handshake *handshake) {
  hd_secret_wipe(handshake, sizeof *handshake);
}

bool hd_noise_handshake_is_writing(const hd_noise_handshake *handshake) {
  const bool is_initiators_turn = handshake->messages_done % 2 == 0;
  return !handshake->is_complete && is_initiators_turn == handshake->is_initiator;
}

static const uint8_t *next_tokens(const hd_noise_handshake *handshake) {
  return patterns[handshake->pattern].messages[handshake->messages_done];
}

size_t hd_noise_handshake_overhead(const hd_noise_handshake *handshake) {
  if (handshake->is_complete) return 0;
  size_t overhead = 0;
  size_t mac_size = hd_noise_cipher_overhead(&handshake->symmetric.cipher);
  for (const uint8_t *next = next_tokens(handshake); *next != END; next++) {
    if (*next == E) {
      overhead += HD_PUBLIC_KEY_SIZE;
    } else if (*next == S) {
      overhead += HD_PUBLIC_KEY_SIZE + mac_size;
    } else {
      mac_size = HD_AEAD_MAC_SIZE; /* a Diffie-Hellman token brings a key */
    }
  }
  return overhead + mac_size;
}

/* Mixes in one Diffie-Hellman result. `es` is the initiator's ephemeral with the responder's static key, whoever
 * computes it; the other three follow the same rule. */
static int exchange(hd_noise_handshake *handshake, token kind) {
  const bool local_is_ephemeral = kind == EE || kind == (handshake->is_initiator ? ES : SE);
  const bool remote_is_ephemeral = kind == EE || kind == (handshake->is_initiator ? SE : ES);
  const hd_exchange_key *local = local_is_ephemeral ? &handshake->ephemeral_key : &handshake->static_key;
  const uint8_t *remote = remote_is_ephemeral ? handshake->remote_ephemeral : handshake->remote_static;

  uint8_t shared[HD_KEY_EXCHANGE_SIZE];
  if (hd_key_exchange(local, remote, shared) != HDHT_OK) return HDHT_ERR_HANDSHAKE_KEY;
  hd_noise_symmetric_mix_key(&handshake->symmetric, shared, sizeof shared);
  hd_secret_wipe(shared, sizeof shared);
  return HDHT_OK;
}

static void complete(hd_noise_handshake *handshake) {
  hd_noise_result result;
  const bool is_initiator = handshake->is_initiator;
  hd_noise_symmetric_split(&handshake->symmetric, is_initiator ? result.send_key : result.receive_key,
                           is_initiator ? result.receive_key : result.send_key);
  memcpy(result.handshake_hash, handshake->symmetric.hash, HD_HASH_512_SIZE);
  memcpy(result.remote_public_key, handshake->remote_static, HD_PUBLIC_KEY_SIZE);

  hd_noise_handshake_destroy(handshake);
  handshake->is_complete = true;
  handshake->is_initiator = is_initiator;
  handshake->result = result;
  hd_secret_wipe(&result, sizeof result);
}

static void finish_message(hd_noise_handshake *handshake) {
  handshake->messages_done++;
  if (handshake->messages_done == patterns[handshake->pattern].messages_count) complete(handshake);
}

/* Keeps what the tried message changed, or wipes it; wholly or not at all. */
static int settle(hd_noise_handshake *handshake, hd_noise_handshake *tried, int error) {
  if (error == HDHT_OK) {
    finish_message(tried);
    *handshake = *tried;
  }
  hd_secret_wipe(tried, sizeof *tried);
  return error;
}

static int write_token(hd_noise_handshake *handshake, token kind, uint8_t **to) {
  switch (kind) {
    case E:
      hd_exchange_key_from_seed(&handshake->ephemeral_key, handshake->ephemeral_seed);
      memcpy(*to, handshake->ephemeral_key.public_key, HD_PUBLIC_KEY_SIZE);
      hd_noise_symmetric_mix_hash(&handshake->symmetric, key_bytes(*to));
      *to += HD_PUBLIC_KEY_SIZE;
      return HDHT_OK;
    case S: {
      const size_t size = HD_PUBLIC_KEY_SIZE + hd_noise_cipher_overhead(&handshake->symmetric.cipher);
      hd_noise_symmetric_encrypt_and_hash(&handshake->symmetric, key_bytes(handshake->static_key.public_key), *to);
      *to += size;
      return HDHT_OK;
    }
    case EE:
    case ES:
    case SE:
    case SS: return exchange(handshake, kind);
    case END: break;
  }
  hd_unreachable();
}

int hd_noise_handshake_write(hd_noise_handshake *handshake, hd_bytes payload, uint8_t *message, size_t capacity,
                             size_t *message_size) {
  if (!hd_noise_handshake_is_writing(handshake)) return HDHT_ERR_HANDSHAKE_STATE;
  const size_t overhead = hd_noise_handshake_overhead(handshake);
  if (payload.size > HD_NOISE_MESSAGE_SIZE_LIMIT - overhead) return HDHT_ERR_HANDSHAKE_LENGTH;
  if (capacity < overhead + payload.size) return HDHT_ERR_BUFFER_TOO_SMALL;

  hd_noise_handshake tried = *handshake;
  uint8_t fields[HD_NOISE_OVERHEAD_MAX]; /* so that an error leaves the message untouched */
  uint8_t *to = fields;
  int error = HDHT_OK;
  for (const uint8_t *next = next_tokens(&tried); *next != END && error == HDHT_OK; next++) {
    error = write_token(&tried, (token)*next, &to);
  }
  if (error == HDHT_OK) {
    const size_t fields_size = (size_t)(to - fields);
    memcpy(message, fields, fields_size);
    hd_noise_symmetric_encrypt_and_hash(&tried.symmetric, payload, message + fields_size);
    *message_size = overhead + payload.size;
  }
  return settle(handshake, &tried, error);
}

static int read_token(hd_noise_handshake *handshake, token kind, const uint8_t **from) {
  switch (kind) {
    case E:
      memcpy(handshake->remote_ephemeral, *from, HD_PUBLIC_KEY_SIZE);
      hd_noise_symmetric_mix_hash(&handshake->symmetric, key_bytes(*from));
      *from += HD_PUBLIC_KEY_SIZE;
      return HDHT_OK;
    case S: {
      const size_t size = HD_PUBLIC_KEY_SIZE + hd_noise_cipher_overhead(&handshake->symmetric.cipher);
      const hd_bytes field = hd_bytes_of(*from, size);
      *from += size;
      handshake->has_remote_static = true;
      return hd_noise_symmetric_decrypt_and_hash(&handshake->symmetric, field, handshake->remote_static);
    }
    case EE:
    case ES:
    case SE:
    case SS: return exchange(handshake, kind);
    case END: break;
  }
  hd_unreachable();
}

int hd_noise_handshake_read(hd_noise_handshake *handshake, hd_bytes message, uint8_t *payload, size_t capacity,
                            size_t *payload_size) {
  if (handshake->is_complete || hd_noise_handshake_is_writing(handshake)) return HDHT_ERR_HANDSHAKE_STATE;
  const size_t overhead = hd_noise_handshake_overhead(handshake);
  if (message.size < overhead || message.size > HD_NOISE_MESSAGE_SIZE_LIMIT) return HDHT_ERR_HANDSHAKE_LENGTH;
  if (capacity < message.size - overhead) return HDHT_ERR_BUFFER_TOO_SMALL;

  hd_noise_handshake tried = *handshake;
  const uint8_t *from = message.data;
  int error = HDHT_OK;
  for (const uint8_t *next = next_tokens(&tried); *next != END && error == HDHT_OK; next++) {
    error = read_token(&tried, (token)*next, &from);
  }
  if (error == HDHT_OK) {
    const hd_bytes rest = hd_bytes_of(from, message.size - (size_t)(from - message.data));
    error = hd_noise_symmetric_decrypt_and_hash(&tried.symmetric, rest, payload);
  }
  if (error == HDHT_OK) *payload_size = message.size - overhead;
  return settle(handshake, &tried, error == HDHT_ERR_DECRYPTION ? HDHT_ERR_HANDSHAKE_DECRYPTION : error);
}

const uint8_t *hd_noise_handshake_remote_public_key(const hd_noise_handshake *handshake) {
  if (handshake->is_complete) return handshake->result.remote_public_key;
  return handshake->has_remote_static ? handshake->remote_static : NULL;
}

const hd_noise_result *hd_noise_handshake_result(const hd_noise_handshake *handshake) {
  return handshake->is_complete ? &handshake->result : NULL;
}

/* A whole IK handshake, both sides, against the primitives it cannot do without, called straight from libsodium:
 *
 *   8 scalar multiplications (four on each side) and 2 ephemeral key generations (a SHA-512 and a base-point
 *     multiplication each);
 *   10 HKDFs (8 MixKey, 2 Split) of 3 HMACs of 2 BLAKE2b-512;
 *   14 BLAKE2b-512 (on each side: prologue, responder's key, the two ephemeral keys, the static key and the two
 *     payloads);
 *   6 encryptions and decryptions (static key and payload of the first message, payload of the second). */
#include <sodium.h>
#include <stdlib.h>

#include "bench.h"
#include "crypto/namespace.h"
#include "noise/noise_handshake.h"

#define PAYLOAD_SIZE 32

typedef struct parties {
  hd_exchange_key initiator;
  hd_exchange_key responder;
} parties;

static void run_handshake(void *context) {
  const parties *both = context;
  static const uint8_t seed_a[32] = {3}, seed_b[32] = {4}, payload[PAYLOAD_SIZE];
  const hd_bytes prologue = hd_bytes_of(hd_namespace_peer_handshake, 32), sent = hd_bytes_of(payload, PAYLOAD_SIZE);
  hd_noise_handshake a, b;
  hd_noise_handshake_init(&a, &(hd_noise_options){.pattern = HD_NOISE_IK,
                                                  .is_initiator = true,
                                                  .static_key = &both->initiator,
                                                  .ephemeral_seed = seed_a,
                                                  .remote_public_key = both->responder.public_key,
                                                  .prologue = prologue});
  hd_noise_handshake_init(
      &b, &(hd_noise_options){
              .pattern = HD_NOISE_IK, .static_key = &both->responder, .ephemeral_seed = seed_b, .prologue = prologue});
  uint8_t message[256], received[PAYLOAD_SIZE];
  size_t size, received_size;
  hd_noise_handshake_write(&a, sent, message, sizeof message, &size);
  hd_noise_handshake_read(&b, hd_bytes_of(message, size), received, sizeof received, &received_size);
  hd_noise_handshake_write(&b, sent, message, sizeof message, &size);
  hd_noise_handshake_read(&a, hd_bytes_of(message, size), received, sizeof received, &received_size);
  hd_bench_keep(hd_noise_handshake_result(&a));
  hd_noise_handshake_destroy(&a);
  hd_noise_handshake_destroy(&b);
}

static void hash_of(size_t size) {
  static const uint8_t input[256];
  uint8_t hash[64];
  crypto_generichash_blake2b(hash, sizeof hash, input, size, NULL, 0);
  hd_bench_keep(hash);
}

static void run_primitives(void *context) {
  const parties *both = context;
  uint8_t output[128];
  for (int i = 0; i < 8; i++) {
    if (crypto_scalarmult_ed25519_noclamp(output, both->initiator.scalar, both->responder.public_key) != 0) abort();
    hd_bench_keep(output);
  }
  for (int i = 0; i < 2; i++) {
    crypto_hash_sha512(output, both->initiator.scalar, 32);
    hd_bench_keep(output);
    crypto_scalarmult_ed25519_base_noclamp(output, both->initiator.scalar);
    hd_bench_keep(output);
  }
  for (int i = 0; i < 10; i++) {
    hash_of(i < 8 ? 160 : 128), hash_of(192); /* the extraction, with 32 bytes of input or none */
    hash_of(129), hash_of(192);               /* the first output */
    hash_of(193), hash_of(192);               /* the second output */
  }
  for (int i = 0; i < 14; i++) hash_of(i % 7 == 5 || i % 7 == 6 ? 112 : 96);
  static const uint8_t nonce[12], hash[64], input[PAYLOAD_SIZE + 16];
  for (int i = 0; i < 3; i++) {
    crypto_aead_chacha20poly1305_ietf_encrypt(output, NULL, input, 32, hash, 64, NULL, nonce, both->initiator.scalar);
    hd_bench_keep(output);
    const int result = crypto_aead_chacha20poly1305_ietf_decrypt(output, NULL, NULL, output, 48, hash, 64, nonce,
                                                                 both->initiator.scalar);
    if (result != 0) abort();
    hd_bench_keep(output);
  }
}

static parties make_parties(void) {
  static const uint8_t seed_a[32] = {1}, seed_b[32] = {2};
  parties both;
  hd_exchange_key_from_seed(&both.initiator, seed_a);
  hd_exchange_key_from_seed(&both.responder, seed_b);
  return both;
}

BENCH("noise", ik_handshake) {
  parties both = make_parties();
  double ours, primitives;
  hd_bench_compare_ns(run_handshake, &both, run_primitives, &both, &ours, &primitives);
  hd_bench_report("noise", "IK handshake, both sides", ours, ours / primitives, "its primitives");
}

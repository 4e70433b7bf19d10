/* The source of everything an attacker must not guess: keys, tokens, stream and transaction ids. Each node owns one,
 * seeded once by its driver from the operating system or by the simulator from a number, so that a run can be repeated
 * byte for byte.
 *
 * ChaCha20 with fast key erasure (Bernstein 2017): every refill first replaces the key, and bytes are erased as they
 * are handed out, so what was given out before cannot be computed from the state after. */
#ifndef HD_ENTROPY_H
#define HD_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#define HD_ENTROPY_SEED_SIZE   32
#define HD_ENTROPY_BUFFER_SIZE 480 /* with the next key, eight ChaCha20 blocks */

typedef struct hd_entropy {
  uint8_t key[HD_ENTROPY_SEED_SIZE];
  uint8_t buffer[HD_ENTROPY_BUFFER_SIZE]; /* the last `available` bytes are still to be given out, the rest is zero */
  size_t available;
} hd_entropy;

/* The same seed gives the same bytes on every machine. The caller wipes its copy of the seed. */
void hd_entropy_init(hd_entropy *entropy, const uint8_t seed[HD_ENTROPY_SEED_SIZE]);

/* Wipes the state. */
void hd_entropy_destroy(hd_entropy *entropy);

void hd_entropy_fill(hd_entropy *entropy, void *bytes, size_t size);

uint32_t hd_entropy_u32(hd_entropy *entropy);
uint64_t hd_entropy_u64(hd_entropy *entropy);

/* Uniform in [0, bound), without bias. `bound` > 0. */
uint64_t hd_entropy_below(hd_entropy *entropy, uint64_t bound);

/* Fills `size` bytes from the operating system. For drivers and the API only: nothing below them asks the system.
 * Any thread. Errors: HDHT_ERR_ENTROPY; the bytes are then zero. */
int hd_entropy_from_system(void *bytes, size_t size);

#endif

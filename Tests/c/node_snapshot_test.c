#include "node/node_snapshot.h"

#include "base/byte_order.h"
#include "crypto/hash.h"
#include "test.h"

#define NODES_COUNT 30

static hd_node *create_node(void) {
  static const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {1};
  const hd_node_options options = {.seed = seed};
  hd_node *node;
  CHECK_INT(HDHT_OK, hd_node_create(&options, (hd_time){0}, &node));
  return node;
}

static hd_address address_of(unsigned i) {
  return hd_address_ipv4((uint8_t)(20 + i), (uint8_t)(7 * i), 3, 4, (uint16_t)(49737 + i));
}

typedef struct snapshot {
  uint8_t *bytes;
  size_t size;
} snapshot;

static snapshot write_snapshot(const hd_node *node) {
  snapshot made = {0};
  CHECK_INT(HDHT_OK, hd_node_snapshot_write(node, 1700000000000, hd_allocator_system(), &made.bytes, &made.size));
  return made;
}

static snapshot snapshot_of_some(void) {
  hd_node *node = create_node();
  for (unsigned i = 0; i < NODES_COUNT; i++) {
    const hd_address address = address_of(i);
    hd_node_add_node(node, &address);
  }
  CHECK_UINT(NODES_COUNT, hd_node_look(node).nodes_count);
  const snapshot made = write_snapshot(node);
  hd_node_destroy(node);
  return made;
}

static void release_snapshot(snapshot made) {
  hd_release(hd_allocator_system(), made.bytes, made.size);
}

static int read_snapshot(const uint8_t *bytes, size_t size, unsigned *nodes_count) {
  hd_node *node = create_node();
  const int error = hd_node_snapshot_read(node, hd_bytes_of(bytes, size));
  *nodes_count = hd_node_look(node).nodes_count;
  hd_node_destroy(node);
  return error;
}

/* So that what lies behind the checksum is reached. */
static void sign(snapshot made) {
  hd_hash(made.bytes, made.size - HD_HASH_SIZE, made.bytes + made.size - HD_HASH_SIZE);
}

TEST(a_node_remembers_whom_it_knew_in_the_same_order) {
  const snapshot made = snapshot_of_some();
  hd_node *node = create_node();
  CHECK_INT(HDHT_OK, hd_node_snapshot_read(node, hd_bytes_of(made.bytes, made.size)));
  hd_address nodes[NODES_COUNT];
  CHECK_UINT(NODES_COUNT, hd_node_list(node, nodes, NODES_COUNT));
  for (unsigned i = 0; i < NODES_COUNT; i++) {
    const hd_address expected = address_of(NODES_COUNT - 1 - i);
    CHECK_BYTES(&expected, &nodes[i], sizeof expected);
  }
  hd_node_destroy(node);
  release_snapshot(made);
}

TEST(a_node_that_knows_nobody_writes_a_snapshot_that_reads) {
  hd_node *node = create_node();
  const snapshot made = write_snapshot(node);
  hd_node_destroy(node);
  unsigned count;
  CHECK_INT(HDHT_OK, read_snapshot(made.bytes, made.size, &count));
  CHECK_UINT(0, count);
  release_snapshot(made);
}

TEST(a_snapshot_with_any_byte_changed_or_missing_is_refused_whole) {
  const snapshot made = snapshot_of_some();
  unsigned count;
  for (size_t i = 0; i < made.size; i++) {
    made.bytes[i] ^= 0x10;
    CHECK_INT(HDHT_ERR_MALFORMED, read_snapshot(made.bytes, made.size, &count));
    CHECK_UINT(0, count);
    made.bytes[i] ^= 0x10;
    CHECK_INT(HDHT_ERR_MALFORMED, read_snapshot(made.bytes, i, &count));
  }
  release_snapshot(made);
}

TEST(a_snapshot_of_another_version_is_refused_as_such) {
  const snapshot made = snapshot_of_some();
  unsigned count;
  hd_store_le32(made.bytes + 8, 2);
  sign(made);
  CHECK_INT(HDHT_ERR_VERSION, read_snapshot(made.bytes, made.size, &count));
  release_snapshot(made);
}

TEST(sections_that_do_not_fit_are_malformed) {
  const struct {
    size_t offset;
    uint32_t value;
  } cases[] = {
      {12, 0},                   /* no section, but bytes of one */
      {12, 2},                   /* a second one that is not there */
      {12, UINT32_MAX},          /* more than any file has */
      {28, NODES_COUNT * 6 + 1}, /* beyond the end, and no multiple */
      {28, NODES_COUNT * 6 - 1}, /* no multiple */
      {28, UINT32_MAX},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const snapshot made = snapshot_of_some();
    unsigned count;
    hd_store_le32(made.bytes + cases[i].offset, cases[i].value);
    sign(made);
    CHECK_INT(HDHT_ERR_MALFORMED, read_snapshot(made.bytes, made.size, &count));
    CHECK_UINT(0, count);
    release_snapshot(made);
  }
}

TEST(sections_of_unknown_kinds_are_skipped) {
  const snapshot made = snapshot_of_some();
  unsigned count;
  hd_store_le32(made.bytes + 24, 77);
  sign(made);
  CHECK_INT(HDHT_OK, read_snapshot(made.bytes, made.size, &count));
  CHECK_UINT(0, count);
  release_snapshot(made);
}

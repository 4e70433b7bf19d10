#include "node/node_snapshot.h"

#include "base/byte_order.h"
#include "crypto/hash.h"

#define MAGIC               "hdhtnode"
#define MAGIC_SIZE          8
#define VERSION             1
#define HEADER_SIZE         (MAGIC_SIZE + 4 + 4 + 8)
#define SECTION_HEADER_SIZE 8
#define SECTION_NODES       1
#define NODE_SIZE           6

/* ---- writing --------------------------------------------------------------------------------------------------- */

static uint8_t *write_header(uint8_t *next, uint64_t unix_ms) {
  memcpy(next, MAGIC, MAGIC_SIZE);
  hd_store_le32(next + MAGIC_SIZE, VERSION);
  hd_store_le32(next + MAGIC_SIZE + 4, 1);
  hd_store_le64(next + MAGIC_SIZE + 8, unix_ms);
  return next + HEADER_SIZE;
}

static uint8_t *write_nodes(uint8_t *next, const hd_address *nodes, unsigned count) {
  hd_store_le32(next, SECTION_NODES);
  hd_store_le32(next + 4, count * NODE_SIZE);
  next += SECTION_HEADER_SIZE;
  for (unsigned i = 0; i < count; i++, next += NODE_SIZE) {
    memcpy(next, nodes[i].ip, 4);
    hd_store_le16(next + 4, nodes[i].port);
  }
  return next;
}

int hd_node_snapshot_write(const hd_node *node, uint64_t unix_ms, const hd_allocator *allocator, uint8_t **bytes,
                           size_t *size) {
  hd_address *nodes = hd_allocate_array(allocator, HD_NODE_EXPORT_LIMIT, sizeof *nodes);
  if (nodes == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  const unsigned count = hd_node_list(node, nodes, HD_NODE_EXPORT_LIMIT);
  const size_t total = HEADER_SIZE + SECTION_HEADER_SIZE + (size_t)count * NODE_SIZE + HD_HASH_SIZE;
  uint8_t *made = hd_allocate(allocator, total);
  if (made != NULL) {
    uint8_t *next = write_nodes(write_header(made, unix_ms), nodes, count);
    hd_hash(made, total - HD_HASH_SIZE, next);
    hd_assert(next + HD_HASH_SIZE == made + total);
    *bytes = made;
    *size = total;
  }
  hd_release(allocator, nodes, HD_NODE_EXPORT_LIMIT * sizeof *nodes);
  return made != NULL ? HDHT_OK : HDHT_ERR_OUT_OF_MEMORY;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

typedef struct section {
  uint32_t kind;
  hd_bytes bytes;
} section;

static int read_section(hd_reader *reader, section *read) {
  const uint8_t *header;
  const uint8_t *bytes;
  if (hd_reader_take(reader, SECTION_HEADER_SIZE, &header) != HDHT_OK) return HDHT_ERR_MALFORMED;
  const uint32_t size = hd_load_le32(header + 4);
  if (hd_reader_take(reader, size, &bytes) != HDHT_OK) return HDHT_ERR_MALFORMED;
  *read = (section){.kind = hd_load_le32(header), .bytes = hd_bytes_of(bytes, size)};
  return read->kind == SECTION_NODES && size % NODE_SIZE != 0 ? HDHT_ERR_MALFORMED : HDHT_OK;
}

/* The header and the checksum; what lies between them is left in `sections`. */
static int read_frame(hd_bytes bytes, uint32_t *sections_count, hd_reader *sections) {
  if (bytes.size < HEADER_SIZE + HD_HASH_SIZE || memcmp(bytes.data, MAGIC, MAGIC_SIZE) != 0) return HDHT_ERR_MALFORMED;
  const size_t covered = bytes.size - HD_HASH_SIZE;
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(bytes.data, covered, hash);
  if (memcmp(hash, bytes.data + covered, sizeof hash) != 0) return HDHT_ERR_MALFORMED;
  if (hd_load_le32(bytes.data + MAGIC_SIZE) != VERSION) return HDHT_ERR_VERSION;
  *sections_count = hd_load_le32(bytes.data + MAGIC_SIZE + 4);
  *sections = hd_reader_of(hd_bytes_of(bytes.data + HEADER_SIZE, covered - HEADER_SIZE));
  return HDHT_OK;
}

/* The latest heard are added last, so that the table takes them for the latest again. */
static void take_nodes(hd_node *node, hd_bytes bytes) {
  for (size_t end = bytes.size; end > 0; end -= NODE_SIZE) {
    const uint8_t *from = bytes.data + end - NODE_SIZE;
    const hd_address address = hd_address_ipv4(from[0], from[1], from[2], from[3], hd_load_le16(from + 4));
    if (address.port != 0) hd_node_add_node(node, &address);
  }
}

int hd_node_snapshot_read(hd_node *node, hd_bytes bytes) {
  uint32_t count;
  hd_reader sections;
  const int error = read_frame(bytes, &count, &sections);
  if (error != HDHT_OK) return error;

  section read;
  hd_reader checked = sections;
  for (uint32_t i = 0; i < count; i++) {
    if (read_section(&checked, &read) != HDHT_OK) return HDHT_ERR_MALFORMED;
  }
  if (hd_reader_remaining(&checked) > 0) return HDHT_ERR_MALFORMED;

  for (uint32_t i = 0; i < count; i++) {
    if (read_section(&sections, &read) != HDHT_OK) break; /* cannot be: it was read before */
    if (read.kind == SECTION_NODES) take_nodes(node, read.bytes);
  }
  return HDHT_OK;
}

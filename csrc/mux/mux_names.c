#include "mux/mux_names.h"

/* 64-bit FNV-1a (Fowler, Noll, Vo). */
#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME  0x100000001b3u

static uint64_t hash_bytes(uint64_t hash, hd_bytes bytes);
static hd_list *bucket_of(hd_list *buckets, size_t buckets_count, uint64_t hash);
static void grow(hd_mux_names *names);
static void release_buckets(hd_mux_names *names);

hd_mux_key hd_mux_key_of(hd_bytes protocol, hd_bytes id) {
  uint64_t hash = hash_bytes(FNV_OFFSET, protocol);
  hash = (hash ^ protocol.size) * FNV_PRIME; /* tells ("ab", "c") from ("a", "bc") */
  return (hd_mux_key){.hash = hash_bytes(hash, id), .protocol = protocol, .id = id};
}

void hd_mux_names_init(hd_mux_names *names, const hd_allocator *allocator) {
  names->allocator = allocator;
  names->buckets = names->first_buckets;
  names->buckets_count = HD_MUX_NAMES_FIRST_BUCKETS;
  names->count = 0;
  for (size_t i = 0; i < HD_MUX_NAMES_FIRST_BUCKETS; i++) hd_list_init(&names->first_buckets[i]);
}

void hd_mux_names_destroy(hd_mux_names *names) {
  hd_assert(names->count == 0);
  release_buckets(names);
}

void hd_mux_names_insert(hd_mux_names *names, hd_mux_name *name) {
  if (names->count >= names->buckets_count) grow(names);
  hd_list_push_back(bucket_of(names->buckets, names->buckets_count, name->key.hash), &name->link);
  names->count++;
}

void hd_mux_names_remove(hd_mux_names *names, hd_mux_name *name) {
  hd_assert(names->count > 0);
  hd_list_remove(&name->link);
  names->count--;
}

hd_mux_name *hd_mux_names_find(const hd_mux_names *names, const hd_mux_key *key, hd_mux_name_kind kind,
                               const hd_mux_name *previous) {
  const hd_list *bucket = bucket_of(names->buckets, names->buckets_count, key->hash);
  for (hd_list *link = previous != NULL ? previous->link.next : bucket->next; link != bucket; link = link->next) {
    hd_mux_name *name = HD_CONTAINER_OF(link, hd_mux_name, link);
    if (name->kind == kind && name->key.hash == key->hash && hd_bytes_equal(name->key.protocol, key->protocol) &&
        hd_bytes_equal(name->key.id, key->id)) {
      return name;
    }
  }
  return NULL;
}

static uint64_t hash_bytes(uint64_t hash, hd_bytes bytes) {
  for (size_t i = 0; i < bytes.size; i++) hash = (hash ^ bytes.data[i]) * FNV_PRIME;
  return hash;
}

static hd_list *bucket_of(hd_list *buckets, size_t buckets_count, uint64_t hash) {
  return &buckets[(hash ^ hash >> 32) & (buckets_count - 1)];
}

/* Old buckets are emptied front to back, so entries of one key keep their order. */
static void grow(hd_mux_names *names) {
  const size_t buckets_count = names->buckets_count * 2;
  hd_list *buckets = hd_allocate_array(names->allocator, buckets_count, sizeof *buckets);
  if (buckets == NULL) return;
  for (size_t i = 0; i < buckets_count; i++) hd_list_init(&buckets[i]);
  for (size_t i = 0; i < names->buckets_count; i++) {
    HD_LIST_EACH(link, &names->buckets[i]) {
      hd_list_remove(link);
      const hd_mux_name *name = HD_CONTAINER_OF(link, hd_mux_name, link);
      hd_list_push_back(bucket_of(buckets, buckets_count, name->key.hash), link);
    }
  }
  release_buckets(names);
  names->buckets = buckets;
  names->buckets_count = buckets_count;
}

static void release_buckets(hd_mux_names *names) {
  if (names->buckets == names->first_buckets) return;
  hd_release(names->allocator, names->buckets, names->buckets_count * sizeof *names->buckets);
}

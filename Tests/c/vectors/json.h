/* A small JSON reader for test vectors: parses a whole text into a tree. */
#ifndef HD_JSON_H
#define HD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum hd_json_kind {
  HD_JSON_NULL,
  HD_JSON_BOOL,
  HD_JSON_NUMBER,
  HD_JSON_STRING,
  HD_JSON_ARRAY,
  HD_JSON_OBJECT
} hd_json_kind;

typedef struct hd_json {
  hd_json_kind kind;
  bool truth;            /* HD_JSON_BOOL */
  double number;         /* HD_JSON_NUMBER */
  uint64_t integer;      /* HD_JSON_NUMBER, exact when is_integer */
  bool is_integer;       /* no sign, fraction or exponent, and below 2^64 */
  const char *text;      /* HD_JSON_STRING: UTF-8, zero-terminated; HD_JSON_NUMBER: as written */
  size_t text_size;      /* without the terminator; a string may hold zeros */
  const char *key;       /* when this is a member of an object */
  struct hd_json *first; /* elements or members, in order */
  struct hd_json *next;  /* the next sibling */
} hd_json;

/* Parses `text`. Returns NULL and sets *error_offset on bad input. Free with hd_json_free. */
hd_json *hd_json_parse(const char *text, size_t size, size_t *error_offset);
void hd_json_free(hd_json *root);

/* The member `key`, or NULL; also NULL when `object` is NULL or no object, so look-ups chain. */
const hd_json *hd_json_get(const hd_json *object, const char *key);

/* The element `index` of an array, or NULL. */
const hd_json *hd_json_at(const hd_json *array, size_t index);

/* Number of elements or members; 0 for anything else. */
size_t hd_json_count(const hd_json *container);

/* The member as text, integer or truth, or the fallback when missing or of another kind. */
const char *hd_json_text(const hd_json *object, const char *key, const char *fallback);
uint64_t hd_json_integer(const hd_json *object, const char *key, uint64_t fallback);
bool hd_json_truth(const hd_json *object, const char *key, bool fallback);

#define HD_JSON_EACH(item, container) \
  for (const hd_json *item = (container) != NULL ? (container)->first : NULL; item != NULL; item = item->next)

#endif

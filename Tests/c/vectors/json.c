#include "json.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_LIMIT 64

typedef struct parser {
  const char *start;
  const char *next;
  const char *end;
} parser;

static hd_json *parse_value(parser *p, int depth);

static void skip_space(parser *p) {
  while (p->next < p->end && strchr(" \t\r\n", *p->next) != NULL && *p->next != '\0') p->next++;
}

static bool accept(parser *p, char c) {
  skip_space(p);
  if (p->next >= p->end || *p->next != c) return false;
  p->next++;
  return true;
}

static bool accept_word(parser *p, const char *word) {
  const size_t size = strlen(word);
  if ((size_t)(p->end - p->next) < size || memcmp(p->next, word, size) != 0) return false;
  p->next += size;
  return true;
}

static size_t put_utf8(char *to, uint32_t code) {
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    to[0] = (char)(0xc0 | code >> 6);
    to[1] = (char)(0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = (char)(0xe0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3f));
    to[2] = (char)(0x80 | (code & 0x3f));
    return 3;
  }
  to[0] = (char)(0xf0 | code >> 18);
  to[1] = (char)(0x80 | (code >> 12 & 0x3f));
  to[2] = (char)(0x80 | (code >> 6 & 0x3f));
  to[3] = (char)(0x80 | (code & 0x3f));
  return 4;
}

static bool parse_hex4(parser *p, uint32_t *code) {
  if (p->end - p->next < 4) return false;
  *code = 0;
  for (int i = 0; i < 4; i++) {
    const char c = *p->next++;
    const char *digits = "0123456789abcdef";
    const char *found = memchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c, 16);
    if (found == NULL) return false;
    *code = *code << 4 | (uint32_t)(found - digits);
  }
  return true;
}

static bool parse_escape(parser *p, char **to) {
  if (p->next >= p->end) return false;
  const char c = *p->next++;
  const char *from = "\"\\/bfnrt", *meaning = "\"\\/\b\f\n\r\t";
  const char *found = c != '\0' ? strchr(from, c) : NULL;
  if (found != NULL) {
    *(*to)++ = meaning[found - from];
    return true;
  }
  uint32_t code, low;
  if (c != 'u' || !parse_hex4(p, &code)) return false;
  if (code >= 0xd800 && code < 0xdc00 && p->end - p->next >= 6 && p->next[0] == '\\' && p->next[1] == 'u') {
    p->next += 2;
    if (!parse_hex4(p, &low)) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  *to += put_utf8(*to, code);
  return true;
}

static char *parse_text(parser *p, size_t *size) {
  if (!accept(p, '"')) return NULL;
  const char *closing = p->next;
  while (closing < p->end && *closing != '"') closing += *closing == '\\' ? 2 : 1;
  if (closing >= p->end) return NULL;
  char *text = malloc((size_t)(closing - p->next) + 1); /* decoding never makes text longer */
  char *to = text;
  while (p->next < p->end && *p->next != '"') {
    const char c = *p->next++;
    if (c != '\\') {
      *to++ = c;
    } else if (!parse_escape(p, &to)) {
      free(text);
      return NULL;
    }
  }
  p->next++;
  *to = '\0';
  *size = (size_t)(to - text);
  return text;
}

static bool parse_number(parser *p, hd_json *value) {
  const char *from = p->next;
  bool is_integer = true;
  uint64_t integer = 0;
  while (p->next < p->end && *p->next != '\0' && strchr("+-.eE0123456789", *p->next) != NULL) {
    const char c = *p->next++;
    if (c < '0' || c > '9' || __builtin_mul_overflow(integer, 10u, &integer) ||
        __builtin_add_overflow(integer, (uint64_t)(c - '0'), &integer)) {
      is_integer = false;
    }
  }
  if (p->next == from) return false;
  value->text_size = (size_t)(p->next - from);
  char *text = malloc(value->text_size + 1);
  memcpy(text, from, value->text_size);
  text[value->text_size] = '\0';
  value->kind = HD_JSON_NUMBER;
  value->text = text;
  value->number = strtod(text, NULL);
  value->is_integer = is_integer;
  value->integer = is_integer ? integer : 0;
  return true;
}

static bool parse_members(parser *p, hd_json *container, char closing, int depth) {
  if (accept(p, closing)) return true;
  hd_json **link = &container->first;
  do {
    char *key = NULL;
    size_t key_size;
    if (closing == '}' && ((key = parse_text(p, &key_size)) == NULL || !accept(p, ':'))) {
      free(key);
      return false;
    }
    *link = parse_value(p, depth + 1);
    if (*link == NULL) {
      free(key);
      return false;
    }
    (*link)->key = key;
    link = &(*link)->next;
  } while (accept(p, ','));
  return accept(p, closing);
}

static bool parse_into(parser *p, hd_json *value, int depth) {
  skip_space(p);
  if (p->next >= p->end || depth > DEPTH_LIMIT) return false;
  switch (*p->next) {
    case '{':
    case '[': {
      const bool is_object = *p->next++ == '{';
      value->kind = is_object ? HD_JSON_OBJECT : HD_JSON_ARRAY;
      return parse_members(p, value, is_object ? '}' : ']', depth);
    }
    case '"': value->kind = HD_JSON_STRING; return (value->text = parse_text(p, &value->text_size)) != NULL;
    case 'n': return accept_word(p, "null");
    case 't':
    case 'f':
      value->kind = HD_JSON_BOOL;
      value->truth = *p->next == 't';
      return accept_word(p, value->truth ? "true" : "false");
    default: return parse_number(p, value);
  }
}

static hd_json *parse_value(parser *p, int depth) {
  hd_json *value = calloc(1, sizeof *value);
  if (parse_into(p, value, depth)) return value;
  hd_json_free(value);
  return NULL;
}

hd_json *hd_json_parse(const char *text, size_t size, size_t *error_offset) {
  parser p = {.start = text, .next = text, .end = text + size};
  hd_json *root = parse_value(&p, 0);
  skip_space(&p);
  if (root != NULL && p.next == p.end) return root;
  *error_offset = (size_t)(p.next - p.start);
  hd_json_free(root);
  return NULL;
}

void hd_json_free(hd_json *root) {
  while (root != NULL) {
    hd_json *next = root->next;
    hd_json_free(root->first);
    free((void *)root->text);
    free((void *)root->key);
    free(root);
    root = next;
  }
}

const hd_json *hd_json_get(const hd_json *object, const char *key) {
  if (object == NULL || object->kind != HD_JSON_OBJECT) return NULL;
  HD_JSON_EACH(member, object) {
    if (strcmp(member->key, key) == 0) return member;
  }
  return NULL;
}

const hd_json *hd_json_at(const hd_json *array, size_t index) {
  HD_JSON_EACH(element, array) {
    if (index-- == 0) return element;
  }
  return NULL;
}

size_t hd_json_count(const hd_json *container) {
  size_t count = 0;
  HD_JSON_EACH(element, container) {
    count++;
  }
  return count;
}

const char *hd_json_text(const hd_json *object, const char *key, const char *fallback) {
  const hd_json *member = hd_json_get(object, key);
  return member != NULL && member->kind == HD_JSON_STRING ? member->text : fallback;
}

uint64_t hd_json_integer(const hd_json *object, const char *key, uint64_t fallback) {
  const hd_json *member = hd_json_get(object, key);
  return member != NULL && member->kind == HD_JSON_NUMBER && member->is_integer ? member->integer : fallback;
}

bool hd_json_truth(const hd_json *object, const char *key, bool fallback) {
  const hd_json *member = hd_json_get(object, key);
  return member != NULL && member->kind == HD_JSON_BOOL ? member->truth : fallback;
}

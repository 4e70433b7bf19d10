/* hdht_vector_tests DIR: checks every case of every *.json file of the folder whose name has a handler. Files without a
 * handler are named and skipped. Ends with "N passed, N failed". */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

static hd_vector_file *files;
static unsigned checks_in_case, failures_in_case;
static const char *running_file, *running_case;

typedef struct scratch {
  struct scratch *next;
  max_align_t bytes[];
} scratch;
static scratch *case_scratch;

void hd_vectors_register(hd_vector_file *file) {
  file->next = files;
  files = file;
}

void hd_vector_fail(const char *format, ...) {
  failures_in_case++;
  fprintf(stderr, "%s: %s: ", running_file, running_case);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

bool hd_vector_check(bool ok, const char *file, int line, const char *what) {
  checks_in_case++;
  if (!ok) hd_vector_fail("%s:%d: expected %s", file, line, what);
  return ok;
}

void *hd_vector_scratch(size_t size) {
  scratch *block = calloc(1, sizeof *block + (size > 0 ? size : 1));
  if (block == NULL) abort();
  block->next = case_scratch;
  case_scratch = block;
  return block->bytes;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

const uint8_t *hd_vector_hex(const hd_json *text, size_t *size) {
  *size = 0;
  if (text == NULL || text->kind != HD_JSON_STRING) return NULL;
  uint8_t *bytes = hd_vector_scratch(text->text_size / 2);
  for (size_t i = 0; i + 1 < text->text_size; i += 2) {
    const int high = hex_digit(text->text[i]), low = hex_digit(text->text[i + 1]);
    if (high < 0 || low < 0) {
      hd_vector_fail("bad hex text");
      return NULL;
    }
    bytes[i / 2] = (uint8_t)(high << 4 | low);
  }
  *size = text->text_size / 2;
  return bytes;
}

bool hd_vector_check_hex(const hd_json *expected_hex, const uint8_t *actual, size_t size, const char *what) {
  checks_in_case++;
  size_t expected_size;
  const uint8_t *expected = hd_vector_hex(expected_hex, &expected_size);
  if (expected != NULL && expected_size == size && (size == 0 || memcmp(expected, actual, size) == 0)) return true;
  hd_vector_fail("%s: expected %zu bytes %.200s", what, expected_size,
                 expected != NULL ? expected_hex->text : "(none)");
  fprintf(stderr, "  actual %zu bytes ", size);
  for (size_t i = 0; i < size && i < 100; i++) fprintf(stderr, "%02x", actual[i]);
  fputc('\n', stderr);
  return false;
}

static void release_scratch(void) {
  while (case_scratch != NULL) {
    scratch *next = case_scratch->next;
    free(case_scratch);
    case_scratch = next;
  }
}

static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  const long end = ftell(file);
  rewind(file);
  char *text = malloc((size_t)end + 1);
  *size = fread(text, 1, (size_t)end, file);
  fclose(file);
  return text;
}

static void check_file(const hd_vector_file *file, const char *path, unsigned *passed, unsigned *failed) {
  size_t size, error_offset = 0;
  char *text = read_file(path, &size);
  hd_json *root = text != NULL ? hd_json_parse(text, size, &error_offset) : NULL;
  running_file = file->name;
  if (root == NULL || hd_json_count(hd_json_get(root, "cases")) == 0) {
    printf("FAILED %s: not a vector file (offset %zu)\n", path, error_offset);
    (*failed)++;
  }
  unsigned passed_here = 0, failed_here = 0;
  HD_JSON_EACH(item, hd_json_get(root, "cases")) {
    running_case = hd_json_text(item, "name", "(unnamed)");
    checks_in_case = failures_in_case = 0;
    file->check_case(item);
    release_scratch();
    if (failures_in_case == 0 && checks_in_case > 0) {
      passed_here++;
      continue;
    }
    failed_here++;
    printf("FAILED %s: %s%s\n", file->name, running_case, checks_in_case == 0 ? " (nothing was checked)" : "");
  }
  printf("%-28s %u cases\n", file->name, passed_here + failed_here);
  *passed += passed_here;
  *failed += failed_here;
  hd_json_free(root);
  free(text);
}

static const hd_vector_file *find_handler(const char *name) {
  for (const hd_vector_file *file = files; file != NULL; file = file->next) {
    if (strcmp(file->name, name) == 0) return file;
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: hdht_vector_tests DIR\n", stderr);
    return 2;
  }
  struct dirent **entries;
  const int count = scandir(argv[1], &entries, NULL, alphasort);
  if (count < 0) {
    perror(argv[1]);
    return 2;
  }
  unsigned passed = 0, failed = 0;
  for (int i = 0; i < count; i++) {
    const char *name = entries[i]->d_name;
    const size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".json") == 0) {
      const hd_vector_file *file = find_handler(name);
      char path[4096];
      snprintf(path, sizeof path, "%s/%s", argv[1], name);
      if (file != NULL) {
        check_file(file, path, &passed, &failed);
      } else {
        printf("%-28s skipped: no layer for it yet\n", name);
      }
    }
    free(entries[i]);
  }
  free(entries);
  printf("%u passed, %u failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

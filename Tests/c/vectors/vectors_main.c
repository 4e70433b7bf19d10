/* hdht_vector_tests DIR: checks every case of every *.json file of the folder whose name has a handler, and every line
 * of each *.jsonl file in DIR/transcripts that a transcript handler takes up. Files without a handler are named and
 * skipped. Ends with "N passed, N failed". */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

static hd_vector_file *files;
static hd_vector_transcripts *transcripts;
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

void hd_vectors_register_transcripts(hd_vector_transcripts *more) {
  more->next = transcripts;
  transcripts = more;
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

typedef struct totals {
  unsigned passed, failed, untouched; /* untouched: the handler checked nothing */
} totals;

static void run_case(void (*handler)(const hd_json *item), const hd_json *item, totals *sum) {
  checks_in_case = failures_in_case = 0;
  handler(item);
  release_scratch();
  if (failures_in_case > 0) {
    sum->failed++;
    printf("FAILED %s: %s\n", running_file, running_case);
  } else if (checks_in_case > 0) {
    sum->passed++;
  } else {
    sum->untouched++;
  }
}

static void check_file(const hd_vector_file *file, const char *path, totals *sum) {
  size_t size, error_offset = 0;
  char *text = read_file(path, &size);
  hd_json *root = text != NULL ? hd_json_parse(text, size, &error_offset) : NULL;
  running_file = file->name;
  if (root == NULL || hd_json_count(hd_json_get(root, "cases")) == 0) {
    printf("FAILED %s: not a vector file (offset %zu)\n", path, error_offset);
    sum->failed++;
  }
  totals here = {0};
  HD_JSON_EACH(item, hd_json_get(root, "cases")) {
    running_case = hd_json_text(item, "name", "(unnamed)");
    run_case(file->check_case, item, &here);
    if (here.untouched > 0) {
      printf("FAILED %s: %s (nothing was checked)\n", running_file, running_case);
      here.untouched = 0;
      here.failed++;
    }
  }
  printf("%-28s %u cases\n", file->name, here.passed + here.failed);
  sum->passed += here.passed;
  sum->failed += here.failed;
  hd_json_free(root);
  free(text);
}

static const hd_vector_file *find_handler(const char *name) {
  for (const hd_vector_file *file = files; file != NULL; file = file->next) {
    if (strcmp(file->name, name) == 0) return file;
  }
  return NULL;
}

static bool has_suffix(const char *name, const char *suffix) {
  const size_t length = strlen(name), suffix_length = strlen(suffix);
  return length > suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

static void check_line(const hd_vector_transcripts *handler, const char *line, size_t size, unsigned number,
                       totals *sum) {
  char name[32];
  snprintf(name, sizeof name, "line %u", number);
  running_case = name;
  size_t error_offset;
  hd_json *value = hd_json_parse(line, size, &error_offset);
  if (value != NULL) {
    run_case(handler->check_line, value, sum);
  } else {
    printf("FAILED %s: line %u is no JSON\n", running_file, number);
    sum->failed++;
  }
  hd_json_free(value);
}

static void check_transcript(const hd_vector_transcripts *handler, const char *path, totals *sum) {
  size_t size = 0;
  char *text = read_file(path, &size);
  unsigned number = 0;
  for (const char *line = text; line != NULL && line < text + size;) {
    const size_t remaining = (size_t)(text + size - line);
    const char *newline = memchr(line, '\n', remaining);
    const size_t length = newline != NULL ? (size_t)(newline - line) : remaining;
    number++;
    if (length > 0) check_line(handler, line, length, number, sum);
    line += length + 1;
  }
  free(text);
}

/* A handler that took up no line at all has lost its transcripts. */
static void check_transcripts(const hd_vector_transcripts *handler, const char *folder, struct dirent **entries,
                              int count, totals *sum) {
  totals here = {0};
  for (int i = 0; i < count; i++) {
    if (!has_suffix(entries[i]->d_name, ".jsonl")) continue;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    running_file = entries[i]->d_name;
    check_transcript(handler, path, &here);
  }
  if (here.passed + here.failed == 0) {
    printf("FAILED transcripts: %s: nothing was checked\n", handler->topic);
    here.failed++;
  }
  printf("%-28s %u lines of %s\n", "transcripts", here.passed + here.failed, handler->topic);
  sum->passed += here.passed;
  sum->failed += here.failed;
}

static void release_entries(struct dirent **entries, int count) {
  for (int i = 0; i < count; i++) free(entries[i]);
  free(entries);
}

static bool check_vector_files(const char *folder, totals *sum) {
  struct dirent **entries;
  const int count = scandir(folder, &entries, NULL, alphasort);
  if (count < 0) return false;
  for (int i = 0; i < count; i++) {
    const char *name = entries[i]->d_name;
    if (!has_suffix(name, ".json")) continue;
    const hd_vector_file *file = find_handler(name);
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file != NULL) {
      check_file(file, path, sum);
    } else {
      printf("%-28s skipped: no layer for it yet\n", name);
    }
  }
  release_entries(entries, count);
  return true;
}

static void check_transcript_files(const char *folder, totals *sum) {
  struct dirent **entries;
  const int count = scandir(folder, &entries, NULL, alphasort);
  if (count < 0) return;
  for (const hd_vector_transcripts *handler = transcripts; handler != NULL; handler = handler->next) {
    check_transcripts(handler, folder, entries, count, sum);
  }
  release_entries(entries, count);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: hdht_vector_tests DIR\n", stderr);
    return 2;
  }
  totals sum = {0};
  if (!check_vector_files(argv[1], &sum)) {
    perror(argv[1]);
    return 2;
  }
  char folder[4000];
  snprintf(folder, sizeof folder, "%s/transcripts", argv[1]);
  check_transcript_files(folder, &sum);
  printf("%u passed, %u failed\n", sum.passed, sum.failed);
  return sum.failed == 0 && sum.passed > 0 ? 0 : 1;
}

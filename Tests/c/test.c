#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hd_test *tests;
static const hd_test *running;
static unsigned failures_in_test;

void hd_test_register(hd_test *test) {
  test->next = tests;
  tests = test;
}

void hd_test_fail(const char *file, int line, const char *format, ...) {
  failures_in_test++;
  fprintf(stderr, "%s:%d: %s: ", file, line, running != NULL ? running->name : "-");
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

void hd_test_check_int(const char *file, int line, const char *what, long long expected, long long actual) {
  if (expected != actual) hd_test_fail(file, line, "%s is %lld, expected %lld", what, actual, expected);
}

void hd_test_check_uint(const char *file, int line, const char *what, unsigned long long expected,
                        unsigned long long actual) {
  if (expected != actual) hd_test_fail(file, line, "%s is %llu, expected %llu", what, actual, expected);
}

static void print_hex(const char *label, const uint8_t *bytes, size_t size) {
  fprintf(stderr, "  %s", label);
  for (size_t i = 0; i < size && i < 256; i++) fprintf(stderr, "%02x", bytes[i]);
  fputs(size > 256 ? "…\n" : "\n", stderr);
}

void hd_test_check_bytes(const char *file, int line, const char *what, const void *expected, const void *actual,
                         size_t size) {
  if (size == 0 || memcmp(expected, actual, size) == 0) return;
  hd_test_fail(file, line, "%s differs", what);
  print_hex("expected ", expected, size);
  print_hex("actual   ", actual, size);
}

void hd_test_check_text(const char *file, int line, const char *what, const char *expected, const char *actual) {
  if (actual == NULL || strcmp(expected, actual) != 0) {
    hd_test_fail(file, line, "%s is \"%s\", expected \"%s\"", what, actual != NULL ? actual : "(null)", expected);
  }
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

size_t hd_test_hex(const char *text, uint8_t *bytes, size_t capacity) {
  size_t digits = 0;
  for (; *text != '\0'; text++) {
    if (*text == ' ' || *text == '\n') continue;
    const int digit = hex_digit(*text);
    if (digit < 0 || digits / 2 >= capacity) {
      hd_test_fail(__FILE__, __LINE__, "bad or too long hex text at \"%s\"", text);
      return 0;
    }
    if (digits % 2 == 0) {
      bytes[digits / 2] = (uint8_t)(digit << 4);
    } else {
      bytes[digits / 2] = (uint8_t)(bytes[digits / 2] | digit);
    }
    digits++;
  }
  if (digits % 2 != 0) hd_test_fail(__FILE__, __LINE__, "odd number of hex digits");
  return digits / 2;
}

/* Each block carries its size in front, so a release with another size is caught. */
#define BLOCK_HEADER_SIZE 16

static void *counting_allocate(void *context, size_t size) {
  hd_test_allocator *allocator = context;
  allocator->allocations++;
  if (allocator->fail_at != 0 && allocator->allocations == allocator->fail_at) return NULL;
  uint8_t *block = malloc(BLOCK_HEADER_SIZE + size);
  if (block == NULL) return NULL;
  memcpy(block, &size, sizeof size);
  memset(block + BLOCK_HEADER_SIZE, 0xa5, size); /* nobody may rely on zeros */
  allocator->live_bytes += size;
  if (allocator->live_bytes > allocator->peak_bytes) allocator->peak_bytes = allocator->live_bytes;
  return block + BLOCK_HEADER_SIZE;
}

static void counting_release(void *context, void *memory, size_t size) {
  hd_test_allocator *allocator = context;
  uint8_t *block = (uint8_t *)memory - BLOCK_HEADER_SIZE;
  size_t allocated;
  memcpy(&allocated, block, sizeof allocated);
  if (allocated != size) hd_test_fail(__FILE__, __LINE__, "released as %zu bytes, allocated as %zu", size, allocated);
  allocator->live_bytes -= allocated;
  free(block);
}

void hd_test_allocator_init(hd_test_allocator *allocator) {
  *allocator = (hd_test_allocator){
      .hook = {.allocate = counting_allocate, .release = counting_release, .context = allocator},
  };
}

void hd_test_each_allocation_failure(bool (*scenario)(const hdht_allocator *allocator)) {
  for (size_t fail_at = 1; fail_at < 100000; fail_at++) {
    hd_test_allocator allocator;
    hd_test_allocator_init(&allocator);
    allocator.fail_at = fail_at;
    const bool succeeded = scenario(&allocator.hook);
    if (allocator.live_bytes != 0) {
      hd_test_fail(__FILE__, __LINE__, "%zu bytes leaked when allocation %zu failed", allocator.live_bytes, fail_at);
      return;
    }
    if (allocator.allocations < fail_at) {
      if (!succeeded) hd_test_fail(__FILE__, __LINE__, "the scenario failed although no allocation did");
      return;
    }
  }
  hd_test_fail(__FILE__, __LINE__, "the scenario never ran out of allocations");
}

static int by_file_and_name(const void *left, const void *right) {
  const hd_test *a = *(hd_test *const *)left;
  const hd_test *b = *(hd_test *const *)right;
  const int file = strcmp(a->file, b->file);
  return file != 0 ? file : strcmp(a->name, b->name);
}

static bool is_selected(const hd_test *test, int argc, char **argv) {
  if (argc < 2) return true;
  for (int i = 1; i < argc; i++) {
    if (strstr(test->name, argv[i]) != NULL || strstr(test->file, argv[i]) != NULL) return true;
  }
  return false;
}

int main(int argc, char **argv) {
  static hd_test *sorted[16384]; /* constructors run in link order; people read file order */
  size_t count = 0;
  for (hd_test *test = tests; test != NULL && count < sizeof sorted / sizeof sorted[0]; test = test->next) {
    sorted[count++] = test;
  }
  qsort(sorted, count, sizeof sorted[0], by_file_and_name);

  unsigned passed = 0, failed = 0;
  for (size_t i = 0; i < count; i++) {
    if (!is_selected(sorted[i], argc, argv)) continue;
    running = sorted[i];
    failures_in_test = 0;
    running->run();
    if (failures_in_test == 0) {
      passed++;
    } else {
      failed++;
      printf("FAILED %s (%s)\n", running->name, running->file);
    }
  }
  printf("%u passed, %u failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

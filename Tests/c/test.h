/* The whole test framework: TEST registers a function, CHECK reports and goes on, REQUIRE reports and leaves the test.
 * A test's name is a sentence about behaviour.
 *
 *   TEST(uint_rejects_a_width_that_runs_past_the_end) {
 *     CHECK_INT(HDHT_ERR_TRUNCATED, hd_codec_read_uint(&reader, &value));
 *   }
 *
 * The runner (test_main.c) runs all tests, or those whose file or name contains an argument, and ends with
 * "N passed, N failed". */
#ifndef HD_TEST_H
#define HD_TEST_H

#include <hdht/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/allocator.h"

typedef struct hd_test {
  const char *name;
  const char *file;
  void (*run)(void);
  struct hd_test *next;
} hd_test;

void hd_test_register(hd_test *test);

/* Marks the running test as failed and prints where and why. */
__attribute__((format(printf, 3, 4))) void hd_test_fail(const char *file, int line, const char *format, ...);

#define TEST(test_name)                                                                    \
  static void test_##test_name(void);                                                      \
  __attribute__((constructor)) static void register_##test_name(void) {                    \
    static hd_test test = {.name = #test_name, .file = __FILE__, .run = test_##test_name}; \
    hd_test_register(&test);                                                               \
  }                                                                                        \
  static void test_##test_name(void)

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) hd_test_fail(__FILE__, __LINE__, "expected %s", #condition); \
  } while (0)

#define REQUIRE(condition)                                         \
  do {                                                             \
    if (!(condition)) {                                            \
      hd_test_fail(__FILE__, __LINE__, "expected %s", #condition); \
      return;                                                      \
    }                                                              \
  } while (0)

/* Equal integers; prints both. Also for error codes. */
#define CHECK_INT(expected, actual) \
  hd_test_check_int(__FILE__, __LINE__, #actual, (long long)(expected), (long long)(actual))
#define CHECK_UINT(expected, actual) \
  hd_test_check_uint(__FILE__, __LINE__, #actual, (unsigned long long)(expected), (unsigned long long)(actual))

/* Equal memory; prints both as hex. */
#define CHECK_BYTES(expected, actual, size) \
  hd_test_check_bytes(__FILE__, __LINE__, #actual, (expected), (actual), (size))

/* Equal text. */
#define CHECK_TEXT(expected, actual) hd_test_check_text(__FILE__, __LINE__, #actual, (expected), (actual))

void hd_test_check_int(const char *file, int line, const char *what, long long expected, long long actual);
void hd_test_check_uint(const char *file, int line, const char *what, unsigned long long expected,
                        unsigned long long actual);
void hd_test_check_bytes(const char *file, int line, const char *what, const void *expected, const void *actual,
                         size_t size);
void hd_test_check_text(const char *file, int line, const char *what, const char *expected, const char *actual);

/* Fills `bytes` from lower-case hex text (spaces ignored) and returns how many bytes there were. Fails the test when
 * the text is no hex or longer than `capacity`. */
size_t hd_test_hex(const char *text, uint8_t *bytes, size_t capacity);

/* An allocator that counts, checks that each release names the size that was allocated, and fails the allocation number
 * `fail_at` (1 is the next one; 0 never). */
typedef struct hd_test_allocator {
  hdht_allocator hook; /* give &hook to the code under test */
  size_t allocations;  /* calls so far, failed ones included */
  size_t fail_at;
  size_t live_bytes;
  size_t peak_bytes;
} hd_test_allocator;

void hd_test_allocator_init(hd_test_allocator *allocator);

/* Runs `scenario` with a failure at the 1st, 2nd, … allocation until one run needs fewer. The scenario must cope with
 * every failure and give back all memory; it returns true when it ended as it does with enough memory. */
void hd_test_each_allocation_failure(bool (*scenario)(const hdht_allocator *allocator));

#endif

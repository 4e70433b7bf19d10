/* The vector runner: for every known file of a folder, one handler checks every case. A handler is registered for a
 * file name (any folder may be given on the command line, so files with other cases of the same format work too).
 *
 *   static void check_case(const hd_json *item) { ... VECTOR_CHECK(...) ... }
 *   VECTOR_FILE("noise.json", check_case)
 *
 * A case fails when its handler reports at least one failure, or checks nothing at all.
 *
 * The folder's `transcripts` hold recorded conversations, one JSON value per line. A handler for them sees every line
 * of every file, checks those that concern it and leaves the others alone:
 *
 *   VECTOR_TRANSCRIPTS("relay messages", check_line) */
#ifndef HD_VECTORS_H
#define HD_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

typedef struct hd_vector_file {
  const char *name;
  void (*check_case)(const hd_json *item);
  struct hd_vector_file *next;
} hd_vector_file;

void hd_vectors_register(hd_vector_file *file);

#define VECTOR_FILE(file_name, handler)                                          \
  __attribute__((constructor)) static void register_vector_file(void) {          \
    static hd_vector_file file = {.name = (file_name), .check_case = (handler)}; \
    hd_vectors_register(&file);                                                  \
  }

typedef struct hd_vector_transcripts {
  const char *topic;
  void (*check_line)(const hd_json *line);
  struct hd_vector_transcripts *next;
} hd_vector_transcripts;

void hd_vectors_register_transcripts(hd_vector_transcripts *transcripts);

#define VECTOR_TRANSCRIPTS(topic_text, handler)                                                  \
  __attribute__((constructor)) static void register_transcripts(void) {                          \
    static hd_vector_transcripts transcripts = {.topic = (topic_text), .check_line = (handler)}; \
    hd_vectors_register_transcripts(&transcripts);                                               \
  }

/* Marks the current case as failed and prints why. */
__attribute__((format(printf, 1, 2))) void hd_vector_fail(const char *format, ...);

/* Counts one check; fails the case when `ok` is false. Returns `ok`. */
bool hd_vector_check(bool ok, const char *file, int line, const char *what);

#define VECTOR_CHECK(condition) hd_vector_check((condition), __FILE__, __LINE__, #condition)

/* Compares bytes with the hex text of a JSON string; prints both when they differ. */
bool hd_vector_check_hex(const hd_json *expected_hex, const uint8_t *actual, size_t size, const char *what);

/* Decodes hex text into memory that lives until the case ends. A missing or non-string value gives NULL and size 0. */
const uint8_t *hd_vector_hex(const hd_json *text, size_t *size);

/* Zeroed memory that lives until the case ends. */
void *hd_vector_scratch(size_t size);

#endif

/* The layout of every public struct on 64-bit machines: a difference to public_layout.h does not compile. What the
 * compiler cannot see the program finds when it runs: a forgotten member, because the listed ones must fill their
 * struct but for padding, and padding at the end of a struct that may grow. */
#include <hdht/hdht.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SECTION(header)

#if UINTPTR_MAX == UINT64_MAX
#define STRUCT(type, size) _Static_assert(sizeof(type) == (size), #type " has changed its size");
#define MEMBER(type, member, offset, size)                                            \
  _Static_assert(offsetof(type, member) == (offset), #type "." #member " has moved"); \
  _Static_assert(sizeof(((type *)0)->member) == (size), #type "." #member " has another size");
#include "public_layout.h"
#undef STRUCT
#undef MEMBER
#endif

typedef struct listed {
  const char *type;
  const char *member; /* NULL in the line of the struct itself */
  size_t offset;
  size_t size;
} listed;

static const listed list[] = {
#define STRUCT(type, size)                 {#type, NULL, 0, sizeof(type)},
#define MEMBER(type, member, offset, size) {#type, #member, offsetof(type, member), sizeof(((type *)0)->member)},
#include "public_layout.h"
#undef STRUCT
#undef MEMBER
};

#define LIST_SIZE (sizeof list / sizeof list[0])

/* Padding is shorter than the strictest alignment. */
#define GAP_LIMIT 8

static unsigned complaints_count;

static void check_gap(const listed *structure, size_t end, size_t next) {
  if (end + GAP_LIMIT > next) return;
  printf("%s: nothing is listed between bytes %zu and %zu\n", structure->type, end, next);
  complaints_count++;
}

/* A struct that carries its own size may grow, and its size must tell: a member that took the place of padding would
 * leave the size as it is, and old callers' padding would be read as a value. */
static void check_tail(const listed *structure, size_t end) {
  if (strcmp(structure[1].member, "struct_size") != 0 || end == structure->size) return;
  printf("%s ends with padding: give it a name, `reserved`\n", structure->type);
  complaints_count++;
}

/* Checks one struct; returns the line after its last member. */
static size_t check_struct(size_t first) {
  const listed *structure = &list[first];
  size_t end = 0, i = first + 1;
  for (; i < LIST_SIZE && list[i].member != NULL; i++) {
    if (strcmp(list[i].type, structure->type) != 0) {
      printf("%s.%s is listed below %s\n", list[i].type, list[i].member, structure->type);
      complaints_count++;
    }
    check_gap(structure, end, list[i].offset);
    if (list[i].offset + list[i].size > end) end = list[i].offset + list[i].size;
  }
  check_gap(structure, end, structure->size);
  if (i > first + 1) check_tail(structure, end);
  return i;
}

int main(void) {
  unsigned structs_count = 0;
  for (size_t i = 0; i < LIST_SIZE; structs_count++) i = check_struct(i);
  printf("%u structs, %u complaints\n", structs_count, complaints_count);
  return complaints_count == 0 ? 0 : 1;
}

/* Prints public_layout.h with the sizes and offsets as this compiler sees them. To list a new struct, add its lines
 * with any numbers and build the target update-public-layout. */
#include <hdht/hdht.h>
#include <stddef.h>
#include <stdio.h>

int main(void) {
  puts(
      "/* Every public struct with its size, and each member with its offset and size, in bytes, on 64-bit machines.\n"
      " * None of these numbers may change once released: programs were compiled with them. Options grow at their "
      "end.\n"
      " * Written by the target update-public-layout. */\n"
      "/* clang-format off */");
#define SECTION(header)    puts("\nSECTION(" #header ")");
#define STRUCT(type, size) printf("STRUCT(" #type ", %zu)\n", sizeof(type));
#define MEMBER(type, member, offset, size) \
  printf("MEMBER(" #type ", " #member ", %zu, %zu)\n", offsetof(type, member), sizeof(((type *)0)->member));
#include "public_layout.h"
  return 0;
}

#include "base/assertion.h"

#include <stdio.h>
#include <stdlib.h>

void hd_assertion_failed(const char *expression, const char *file, int line) {
  fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  abort();
}

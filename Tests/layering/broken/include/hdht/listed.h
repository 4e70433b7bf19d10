#include <stdint.h>
#include <stdio.h>
#include <uv.h>
#include "base/up.h"

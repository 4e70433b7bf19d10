#include <string.h>
#include "codec/wire.h"

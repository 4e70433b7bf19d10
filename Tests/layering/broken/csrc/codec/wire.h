#include "base/up.h"
#include "crypto/backend.h"

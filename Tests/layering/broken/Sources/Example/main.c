#include <hdht/hdht.h>
#include <uv.h>
#include "base/up.h"
#include "../../csrc/base/up.h"

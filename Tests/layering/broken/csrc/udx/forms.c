#include HEADER
#include_next <string.h>
#include "forms.c"
#include "base/missing.h"
#include "base/allocator.c"
#include <hdht/missing.h>
#include <hdht/hdht.h>

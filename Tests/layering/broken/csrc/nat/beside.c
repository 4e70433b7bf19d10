#include "udx/beside.h"

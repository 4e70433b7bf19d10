#include "sim.h"
#include "missing.h"
#include "udx/beside.h"
#include "api/api.h"
#include <stdio.h>
#include <time.h>

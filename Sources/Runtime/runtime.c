/* The runtime, in the order in which its parts use each other. */
#include "runtime.h"

#include "text.c"
#include "system.c"
#include "memory.c"
#include "cpu.c"
#include "pool.c"
#include "weights.c"
#include "context.c"
#include "bind.c"
#include "frame.c"
#include "profile.c"
#include "dispatch.c"

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
#if MARTLET_APART
/* What model.c includes itself where it is one unit with the runtime and needs it. */
#include "keep.c"
#include "strings.c"
#include "lists.c"
#endif

#include "include/CMartlet.h"

/* The target is its header; what is asserted here is what the Swift side counts on. */
_Static_assert(MARTLET_ABI_VERSION == 1, "LoadedArtifact reads version 1 of the table");
_Static_assert(sizeof(martlet_tensor) == 40, "five words");

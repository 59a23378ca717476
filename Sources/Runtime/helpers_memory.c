/* The ABI's names for what C calls memcpy, memmove and memset. */
#include "helpers.h"

#if defined(__arm__)
extern void *memcpy(void *to, const void *from, size_t bytes);
extern void *memmove(void *to, const void *from, size_t bytes);
extern void *memset(void *to, int value, size_t bytes);

#define MARTLET_BLOCKS(suffix)                                                                                         \
  MARTLET_HELPER void __aeabi_memcpy##suffix(void *to, const void *from, size_t bytes) { memcpy(to, from, bytes); }    \
  MARTLET_HELPER void __aeabi_memmove##suffix(void *to, const void *from, size_t bytes) { memmove(to, from, bytes); }  \
  MARTLET_HELPER void __aeabi_memset##suffix(void *to, size_t bytes, int value) { memset(to, value, bytes); }          \
  MARTLET_HELPER void __aeabi_memclr##suffix(void *to, size_t bytes) { memset(to, 0, bytes); }

MARTLET_BLOCKS()
MARTLET_BLOCKS(4)
MARTLET_BLOCKS(8)
#endif

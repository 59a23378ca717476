/* Aligned memory from malloc. */
#include "runtime.h"

#if MARTLET_HEAP
extern void *malloc(size_t size);
extern void free(void *block);

/* The address malloc gave is kept in the word before the block. Blocks of several megabytes start at a huge page and
 * ask for such: a workspace at an arbitrary offset to the pages costs some kernels up to a fifth of their speed. */
MARTLET_LOCAL void *martlet_allocate(int64_t bytes) {
  const int64_t huge = (int64_t)2 << 20;
  int64_t alignment = bytes >= 2 * huge ? huge : 4096;
  unsigned char *block, *result;
  if (bytes < 0 || bytes > MARTLET_SIZE_LIMIT || (uint64_t)bytes > SIZE_MAX - (uint64_t)alignment - sizeof(void *))
    return NULL;
  block = (unsigned char *)malloc((size_t)(bytes + alignment) + sizeof(void *));
  if (!block) return NULL;
  result = (unsigned char *)(((uintptr_t)block + sizeof(void *) + (uintptr_t)alignment - 1) & -(uintptr_t)alignment);
  ((void **)result)[-1] = block;
#if MARTLET_SYSTEM
  if (alignment == huge) martlet_advise(result, bytes & -huge, MARTLET_ADVISE_HUGE_PAGES);
#endif
  return result;
}

MARTLET_LOCAL void martlet_release(void *block) {
  if (block) free(((void **)block)[-1]);
}
#endif

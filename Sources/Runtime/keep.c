/* What a run makes of sizes that nobody knows before: texts and the members of lists. It lies at the end of the workspace
 * and stays there until the run ends. */
#include "runtime.h"

/* `bytes` aligned bytes, or NULL and a status: then the caller makes the workspace larger and runs again. */
MARTLET_LOCAL void *martlet_keep(martlet_frame *frame, int64_t bytes, martlet_status *status) {
  const int64_t end = frame->size - frame->size % MARTLET_ALIGNMENT, needed = martlet_align(bytes);
  if (needed > MARTLET_SIZE_LIMIT ||
      martlet_size_add(martlet_align(frame->used), martlet_size_add(frame->taken, needed)) > end) {
    /* Running again is dear, and what is missing now is seldom the last of it. */
    frame->taken = martlet_size_add(frame->taken, martlet_size_multiply(needed, 3));
    *status = martlet_check_workspace(frame, frame->used);
    if (!*status) *status = MARTLET_WORKSPACE_TOO_SMALL;
    return NULL;
  }
  frame->taken += needed;
  return frame->base + end - frame->taken;
}

/* In a program a text is the address of its pointer and length, as an integer that kernels move. */
MARTLET_LOCAL const martlet_string *martlet_text(uint64_t address) {
  return (const martlet_string *)(uintptr_t)address;
}

MARTLET_LOCAL uint64_t martlet_text_address(const martlet_string *text) { return (uint64_t)(uintptr_t)text; }

/* Texts of a caller: a length that no memory has would make every later sum wrong. */
MARTLET_LOCAL martlet_status martlet_check_texts(martlet_frame *frame, const martlet_string *texts, int64_t count,
                                                 const char *site) {
  int64_t i;
  for (i = 0; i < count; ++i)
    if (texts[i].length < 0 || texts[i].length > MARTLET_SIZE_LIMIT || (!texts[i].data && texts[i].length))
      return martlet_fail(frame->context, MARTLET_INVALID_ARGUMENT, "%s: text %d has no memory of %d bytes", site, i,
                          texts[i].length);
  return MARTLET_OK;
}

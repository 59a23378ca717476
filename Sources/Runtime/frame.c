/* The frame of one run: workspace, dense inputs, and where results go. */
#include "runtime.h"

MARTLET_LOCAL int martlet_in_workspace(const martlet_frame *frame, const void *data) {
  return data && frame->size > 0 && (uintptr_t)data - (uintptr_t)frame->base < (uintptr_t)frame->size;
}

/* Views of an earlier or failed run are no buffers of the caller's, whose workspace may have moved since. */
MARTLET_LOCAL void martlet_forget_views(martlet_frame *frame) {
  int32_t i;
  for (i = 0; frame->outputs && i < frame->entry->output_count; ++i)
    if (martlet_in_workspace(frame, frame->outputs[i].data)) frame->outputs[i].data = NULL;
}

MARTLET_LOCAL martlet_status martlet_end(martlet_frame *frame, martlet_status status) {
  if (status) martlet_forget_views(frame);
  if (!status) frame->context->message[0] = 0;
  else if (!frame->context->message[0])
    martlet_fail(frame->context, status, "entry \"%s\": %s", frame->entry->name, martlet_status_text(status));
  martlet_leave(frame->context);
  return status;
}

MARTLET_LOCAL martlet_status martlet_begin(martlet_frame *frame, martlet_context *context, const martlet_entry *entry,
                                           const martlet_tensor *inputs, martlet_tensor *outputs, int64_t *symbols,
                                           void *workspace, int64_t workspace_size, int64_t *needed) {
  martlet_status status;
  int64_t shift;
  /* Whoever is running the context owns its message. */
  if (!context || !martlet_enter(context)) return MARTLET_INVALID_ARGUMENT;
  context->message[0] = 0;
  frame->context = context;
  frame->entry = entry;
  frame->inputs = inputs;
  frame->outputs = outputs;
  frame->symbols = symbols;
  frame->needed = needed;
  frame->used = 0;
  frame->taken = 0;
  if (!workspace) {
    workspace = context->workspace;
    workspace_size = context->workspace_size;
  }
  shift = (int64_t)(-(uintptr_t)workspace & (MARTLET_ALIGNMENT - 1));
  frame->base = (unsigned char *)workspace + shift;
  frame->size = martlet_max(workspace_size, 0) - shift;
  frame->slack = shift;
  if (needed) *needed = 0;
  martlet_forget_views(frame);
  status = !outputs && entry->output_count
               ? martlet_fail(context, MARTLET_INVALID_ARGUMENT, "entry \"%s\": outputs is NULL", entry->name)
               : entry->bind(context, inputs, symbols);
  return status ? martlet_end(frame, status) : MARTLET_OK;
}

/* Whether `used` bytes are there; otherwise tells the caller what is needed. */
MARTLET_LOCAL martlet_status martlet_check_workspace(martlet_frame *frame, int64_t used) {
  int64_t needed;
  if (frame->taken)
    used = martlet_size_add(martlet_size_add(martlet_align(used), frame->taken),
                            martlet_max(frame->size % MARTLET_ALIGNMENT, 0));
  if (used <= frame->size) return MARTLET_OK;
  if (used > MARTLET_SIZE_LIMIT)
    return martlet_fail(frame->context, MARTLET_LIMIT_EXCEEDED, "entry \"%s\": the workspace exceeds %d bytes",
                        frame->entry->name, MARTLET_SIZE_LIMIT);
  /* The next workspace may be aligned worse than this one. */
  needed = used + MARTLET_ALIGNMENT - 1;
  if (frame->needed) *frame->needed = needed;
  return martlet_fail(frame->context, MARTLET_WORKSPACE_TOO_SMALL, "entry \"%s\": the workspace needs %d bytes, has %d",
                      frame->entry->name, needed, martlet_max(frame->size, 0) + frame->slack);
}

MARTLET_LOCAL int martlet_is_dense(const martlet_tensor *tensor) {
  int64_t expected = 1;
  int32_t axis;
  if (!tensor->strides) return 1;
  for (axis = 0; axis < tensor->rank; ++axis)
    if (tensor->dims[axis] == 0) return 1;
  for (axis = tensor->rank - 1; axis >= 0; --axis) {
    if (tensor->dims[axis] == 1) continue;
    if (tensor->strides[axis] != expected) return 0;
    expected *= tensor->dims[axis];
  }
  return 1;
}

/* Copies `count` elements that lie `stride` bytes apart. */
MARTLET_LOCAL void martlet_copy_row(unsigned char *to, const unsigned char *from, int64_t count, int64_t stride,
                                    int64_t element_bytes) {
  if (stride == element_bytes) {
    __builtin_memcpy(to, from, (size_t)(count * element_bytes));
    return;
  }
  for (; count > 0; --count, to += element_bytes, from += stride) {
    switch (element_bytes) {
    case 1: *to = *from; break;
    case 2: __builtin_memcpy(to, from, 2); break;
    case 4: __builtin_memcpy(to, from, 4); break;
    case 8: __builtin_memcpy(to, from, 8); break;
    default: __builtin_memcpy(to, from, 16); break;
    }
  }
}

MARTLET_LOCAL void martlet_copy_dense(void *destination, const martlet_tensor *tensor, int64_t element_bytes) {
  unsigned char *to = (unsigned char *)destination;
  const unsigned char *from = (const unsigned char *)tensor->data;
  const int32_t last = tensor->rank - 1;
  int64_t position[MARTLET_MAXIMUM_RANK] = {0};
  int32_t axis;
  for (axis = 0; axis <= last; ++axis)
    if (tensor->dims[axis] == 0) return;
  if (last < 0) {
    martlet_copy_row(to, from, 1, element_bytes, element_bytes);
    return;
  }
  for (;;) {
    martlet_copy_row(to, from, tensor->dims[last], tensor->strides[last] * element_bytes, element_bytes);
    to += tensor->dims[last] * element_bytes;
    for (axis = last - 1; axis >= 0; --axis) {
      from += tensor->strides[axis] * element_bytes;
      if (++position[axis] < tensor->dims[axis]) break;
      from -= tensor->strides[axis] * tensor->dims[axis] * element_bytes;
      position[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/* Bytes of the dense copy through which an input reaches the program; 0: as it is. */
MARTLET_LOCAL int64_t martlet_copied_bytes(const martlet_tensor_info *info, const martlet_tensor *tensor) {
  const int64_t bits = martlet_type_bits(info->type);
  int misplaced;
  if (info->kind != MARTLET_TENSOR) return 0;
  /* Kernels may assume that an element lies where the target wants it. */
  misplaced = bits >= 16 && (uintptr_t)tensor->data % (bits == 128 ? sizeof(void *) : (uintptr_t)bits / 8);
  return misplaced || !martlet_is_dense(tensor) ? martlet_dense_bytes(info->type, tensor->dims, tensor->rank) : 0;
}

MARTLET_LOCAL martlet_status martlet_check_input(martlet_frame *frame, int32_t index) {
  const martlet_tensor *tensor = &frame->inputs[index];
  const martlet_tensor_info *info = frame->entry->inputs[index];
  const martlet_status invalid = MARTLET_INVALID_ARGUMENT;
  const int64_t bytes = info->kind == MARTLET_TENSOR ? martlet_dense_bytes(info->type, tensor->dims, tensor->rank)
                                                     : tensor->dims[0];
  if (bytes == 0) return MARTLET_OK;
  if (bytes > MARTLET_SIZE_LIMIT)
    return martlet_fail(frame->context, MARTLET_LIMIT_EXCEEDED, "input \"%s\": more than %d bytes", info->name,
                        MARTLET_SIZE_LIMIT);
  if (!tensor->data) return martlet_fail(frame->context, invalid, "input \"%s\": data is NULL", info->name);
  if (martlet_in_workspace(frame, tensor->data))
    return martlet_fail(frame->context, invalid, "input \"%s\": lies in the workspace that the run overwrites",
                        info->name);
  if (info->kind != MARTLET_TENSOR) return MARTLET_OK;
  if (martlet_is_dense(tensor)) {
    if (tensor->capacity > 0 && tensor->capacity < bytes)
      return martlet_fail(frame->context, invalid, "input \"%s\": %d bytes, expected %d", info->name,
                          tensor->capacity, bytes);
  } else if (martlet_type_bits(info->type) < 8) {
    return martlet_fail(frame->context, invalid, "input \"%s\": elements of %d bits must be dense", info->name,
                        (int64_t)martlet_type_bits(info->type));
  }
  return MARTLET_OK;
}

MARTLET_LOCAL void martlet_describe_output(martlet_tensor *tensor, const martlet_tensor_info *info,
                                           const int64_t *dims) {
  int32_t axis;
  tensor->type = info->type;
  tensor->rank = info->kind == MARTLET_TENSOR ? info->rank : 1;
  for (axis = 0; tensor->dims && axis < tensor->rank; ++axis) tensor->dims[axis] = dims[axis];
}

MARTLET_LOCAL martlet_status martlet_check_capacity(martlet_frame *frame, int32_t index, int64_t bytes) {
  if (frame->outputs[index].capacity >= bytes) return MARTLET_OK;
  return martlet_fail(frame->context, MARTLET_OUTPUT_TOO_SMALL, "output \"%s\": needs %d bytes, the buffer has %d",
                      frame->entry->outputs[index]->name, bytes, frame->outputs[index].capacity);
}

/* Kernels write outputs while they still read inputs, and count on nobody else writing there. */
MARTLET_LOCAL martlet_status martlet_check_apart(martlet_frame *frame, const char *kind,
                                                 const martlet_tensor_info *other, const void *data, int64_t bytes,
                                                 int32_t index, int64_t output_bytes) {
  const uintptr_t a = (uintptr_t)data, b = (uintptr_t)frame->outputs[index].data;
  if (!bytes || !output_bytes || a >= b + (uintptr_t)output_bytes || b >= a + (uintptr_t)bytes) return MARTLET_OK;
  return martlet_fail(frame->context, MARTLET_INVALID_ARGUMENT, "output \"%s\": overlaps %s \"%s\"",
                      frame->entry->outputs[index]->name, kind, other->name);
}

/* Whether a buffer that the caller gave for an output lies apart from all others. Inputs that reach the program as
 * copies may lie anywhere. */
MARTLET_LOCAL martlet_status martlet_check_output(martlet_frame *frame, int32_t index, int64_t bytes) {
  const martlet_entry *entry = frame->entry;
  int64_t dims[MARTLET_MAXIMUM_RANK];
  martlet_status status = MARTLET_OK;
  int32_t i;
  for (i = 0; i < entry->input_count && !status; ++i) {
    const martlet_tensor_info *info = entry->inputs[i];
    const martlet_tensor *input = &frame->inputs[i];
    if (info->kind == MARTLET_TENSOR && !martlet_copied_bytes(info, input))
      status = martlet_check_apart(frame, "input", info, input->data,
                                   martlet_dense_bytes(info->type, input->dims, info->rank), index, bytes);
  }
  for (i = 0; i < index && !status; ++i) {
    const martlet_tensor_info *info = entry->outputs[i];
    if (frame->outputs[i].data && martlet_output_dims(entry, i, frame->symbols, dims))
      status = martlet_check_apart(frame, "output", info, frame->outputs[i].data,
                                   martlet_dense_bytes(info->type, dims, info->rank), index, bytes);
  }
  return status;
}

MARTLET_LOCAL martlet_status martlet_place(martlet_frame *frame, int64_t planned, void **input, void **output) {
  const martlet_entry *entry = frame->entry;
  int64_t dims[MARTLET_MAXIMUM_RANK];
  int64_t used = martlet_align(planned), bytes;
  martlet_status status;
  int32_t i;
  /* First measure and check everything, then change something. */
  for (i = 0; i < entry->input_count; ++i) {
    status = martlet_check_input(frame, i);
    if (status) return status;
    used = martlet_size_add(used, martlet_align(martlet_copied_bytes(entry->inputs[i], &frame->inputs[i])));
  }
  for (i = 0; i < entry->output_count; ++i) {
    if (!martlet_output_dims(entry, i, frame->symbols, dims)) continue;
    bytes = martlet_dense_bytes(entry->outputs[i]->type, dims, entry->outputs[i]->rank);
    if (!frame->outputs[i].data) {
      used = martlet_size_add(used, martlet_align(bytes));
    } else {
      status = martlet_check_capacity(frame, i, bytes);
      if (!status) status = martlet_check_output(frame, i, bytes);
      if (status) return status;
    }
  }
  status = martlet_check_workspace(frame, used);
  if (status) return status;

  frame->used = martlet_align(planned);
  for (i = 0; i < entry->input_count; ++i) {
    bytes = martlet_copied_bytes(entry->inputs[i], &frame->inputs[i]);
    input[i] = frame->inputs[i].data;
    if (!bytes) continue;
    input[i] = frame->base + frame->used;
    frame->used += martlet_align(bytes);
    if (!martlet_is_dense(&frame->inputs[i]))
      martlet_copy_dense(input[i], &frame->inputs[i], martlet_type_bits(entry->inputs[i]->type) / 8);
    else __builtin_memcpy(input[i], frame->inputs[i].data, (size_t)bytes);
  }
  for (i = 0; i < entry->output_count; ++i) {
    martlet_tensor *tensor = &frame->outputs[i];
    output[i] = NULL;
    if (!martlet_output_dims(entry, i, frame->symbols, dims)) continue;
    if (!tensor->data) {
      tensor->data = frame->base + frame->used;
      tensor->capacity = martlet_dense_bytes(entry->outputs[i]->type, dims, entry->outputs[i]->rank);
      frame->used += martlet_align(tensor->capacity);
    }
    output[i] = tensor->data;
    martlet_describe_output(tensor, entry->outputs[i], dims);
  }
  return MARTLET_OK;
}

MARTLET_LOCAL void *martlet_extend(martlet_frame *frame, int64_t bytes, martlet_status *status) {
  unsigned char *result = frame->base + frame->used;
  const int64_t used = martlet_size_add(frame->used, martlet_align(martlet_max(bytes, 0)));
  *status = martlet_check_workspace(frame, used);
  if (*status) return NULL;
  frame->used = used;
  return result;
}

MARTLET_LOCAL unsigned char *martlet_lengthen(martlet_frame *frame, unsigned char *list, int64_t *room, int64_t count,
                                              int64_t item, int64_t limit, martlet_status *status) {
  const int64_t first = 65536, end = frame->size - frame->size % MARTLET_ALIGNMENT;
  const int64_t old = martlet_align(martlet_size_multiply(*room, item));
  int64_t items = *room ? martlet_size_multiply(*room, 2) : martlet_max(1, first / martlet_max(1, item)), bytes;
  unsigned char *longer;
  if (count < *room) return list;
  items = martlet_min(items, limit);
  bytes = martlet_align(martlet_size_multiply(items, item));
  /* The list that grew last grows in place. */
  if (*room && list == frame->base + end - frame->taken) frame->taken -= old;
  if (bytes > MARTLET_SIZE_LIMIT || martlet_size_add(martlet_align(frame->used), frame->taken + bytes) > end) {
    /* Room for this and the next time, as running again is dear. */
    frame->taken = martlet_size_add(frame->taken, martlet_size_multiply(bytes, 3));
    *status = martlet_check_workspace(frame, frame->used);
    return list;
  }
  frame->taken += bytes;
  longer = frame->base + end - frame->taken;
  if (count * item) __builtin_memmove(longer, list, (size_t)(count * item));
  *room = items;
  return longer;
}

MARTLET_LOCAL martlet_status martlet_deliver(martlet_frame *frame, int32_t index, const int64_t *dims, void *data) {
  const martlet_tensor_info *info = frame->entry->outputs[index];
  martlet_tensor *tensor = &frame->outputs[index];
  int64_t bytes = info->kind == MARTLET_TENSOR ? martlet_dense_bytes(info->type, dims, info->rank)
                                               : martlet_size_multiply(dims[0], (int64_t)sizeof(martlet_tensor));
  martlet_status status;
  if (!tensor->data) {
    tensor->data = data;
    tensor->capacity = bytes;
  } else {
    status = martlet_check_capacity(frame, index, bytes);
    if (status) return status;
    if (bytes) __builtin_memmove(tensor->data, data, (size_t)bytes);
  }
  martlet_describe_output(tensor, info, dims);
  return MARTLET_OK;
}

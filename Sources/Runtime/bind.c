/* Symbol values from the dims of inputs, and every check of those dims. */
#include "runtime.h"

MARTLET_LOCAL int64_t martlet_extent(const martlet_entry *entry, const martlet_dim *dim, const int64_t *symbols) {
  switch (dim->kind) {
  case MARTLET_DIM_CONSTANT: return dim->value;
  case MARTLET_DIM_SYMBOL: return symbols[dim->value];
  case MARTLET_DIM_EXPRESSION: return entry->expressions[dim->value]->value(symbols);
  default: return -1;
  }
}

/* Bytes of a dense tensor; saturates at INT64_MAX. */
MARTLET_LOCAL int64_t martlet_dense_bytes(int32_t type, const int64_t *dims, int32_t rank) {
  const int64_t bits = martlet_type_bits(type);
  int64_t count = 1;
  int32_t axis;
  /* An empty tensor is empty, however long its other dims. */
  for (axis = 0; axis < rank; ++axis)
    if (dims[axis] == 0) return 0;
  for (axis = 0; axis < rank; ++axis) count = martlet_size_multiply(count, dims[axis]);
  if (bits >= 8) return martlet_size_multiply(count, bits / 8);
  return martlet_ceildiv(martlet_size_multiply(count, bits), 8);
}

MARTLET_LOCAL martlet_status martlet_bind_input(martlet_context *context, const martlet_entry *entry, int32_t index,
                                                const martlet_tensor *tensor, int64_t *symbols) {
  const martlet_tensor_info *info = entry->inputs[index];
  const martlet_status mismatch = MARTLET_SHAPE_MISMATCH;
  int32_t axis;
  if (tensor->type != MARTLET_TYPE_NONE && tensor->type != info->type)
    return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "input \"%s\": type %s, expected %s", info->name,
                        martlet_type_name(tensor->type), martlet_type_name(info->type));
  if (info->kind != MARTLET_TENSOR) {
    if (tensor->rank != 1 || !tensor->dims || tensor->dims[0] < 0 ||
        (info->kind == MARTLET_OPTIONAL && tensor->dims[0] > 1))
      return martlet_fail(context, mismatch, "input \"%s\": a sequence or optional has one dim, its number of members",
                          info->name);
    return MARTLET_OK;
  }
  if (tensor->rank != info->rank)
    return martlet_fail(context, mismatch, "input \"%s\": rank %d, expected %d", info->name, (int64_t)tensor->rank,
                        (int64_t)info->rank);
  if (tensor->rank > 0 && !tensor->dims)
    return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "input \"%s\": dims is NULL", info->name);
  for (axis = 0; axis < info->rank; ++axis) {
    const martlet_dim *dim = &info->dims[axis];
    const int64_t extent = tensor->dims[axis];
    if (extent < 0)
      return martlet_fail(context, mismatch, "input \"%s\": dimension %d is %d", info->name, (int64_t)axis, extent);
    if (dim->kind == MARTLET_DIM_CONSTANT && extent != dim->value)
      return martlet_fail(context, mismatch, "input \"%s\": dimension %d is %d, expected %d", info->name,
                          (int64_t)axis, extent, dim->value);
    if (dim->kind == MARTLET_DIM_SYMBOL) {
      const martlet_symbol_info *symbol = entry->symbols[dim->value];
      if (extent < symbol->minimum || extent > symbol->maximum)
        return martlet_fail(context, mismatch, "input \"%s\": dimension %d is %d, %s must be in %d...%d", info->name,
                            (int64_t)axis, extent, symbol->name, symbol->minimum, symbol->maximum);
      if (symbols[dim->value] >= 0 && symbols[dim->value] != extent)
        return martlet_fail(context, mismatch, "input \"%s\": dimension %d is %d, but %s is %d", info->name,
                            (int64_t)axis, extent, symbol->name, symbols[dim->value]);
      symbols[dim->value] = extent;
    }
  }
  return MARTLET_OK;
}

MARTLET_LOCAL martlet_status martlet_bind_symbols(martlet_context *context, const martlet_entry *entry,
                                                  const martlet_tensor *inputs, int64_t *symbols) {
  martlet_status status = MARTLET_OK;
  int32_t i;
  if (!inputs && entry->input_count)
    return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "entry \"%s\": inputs is NULL", entry->name);
  for (i = 0; i < entry->symbol_count; ++i) symbols[i] = -1;
  for (i = 0; i < entry->input_count && !status; ++i)
    status = martlet_bind_input(context, entry, i, &inputs[i], symbols);
  return status;
}

MARTLET_LOCAL martlet_status martlet_solve(martlet_context *context, const martlet_entry *entry,
                                           const martlet_tensor *inputs, int32_t input, int32_t axis, int64_t factor,
                                           int64_t rest, int32_t symbol, int64_t *symbols) {
  const char *label = entry->inputs[input]->name, *name = entry->symbols[symbol]->name;
  const int64_t extent = inputs[input].dims[axis];
  int64_t difference, value, product;
  if (!factor)
    return martlet_fail(context, MARTLET_SHAPE_MISMATCH,
                        "input \"%s\": dimension %d is %d, from which %s does not follow", label, (int64_t)axis, extent,
                        name);
  value = __builtin_sub_overflow(extent, rest, &difference) ? -1 : martlet_floordiv(difference, factor);
  if (value < 0 || __builtin_mul_overflow(value, factor, &product) || product != difference)
    return martlet_fail(context, MARTLET_SHAPE_MISMATCH, "input \"%s\": dimension %d is %d, which no %s gives", label,
                        (int64_t)axis, extent, name);
  symbols[symbol] = value;
  return MARTLET_OK;
}

MARTLET_LOCAL martlet_status martlet_check_symbols(martlet_context *context, const martlet_entry *entry,
                                                   const martlet_tensor *inputs, const int64_t *symbols) {
  int32_t i, axis;
  for (i = 0; i < entry->symbol_count; ++i) {
    const martlet_symbol_info *symbol = entry->symbols[i];
    if (symbols[i] < 0)
      return martlet_fail(context, MARTLET_SHAPE_MISMATCH, "entry \"%s\": no input determines %s", entry->name,
                          symbol->name);
    if (symbols[i] < symbol->minimum || symbols[i] > symbol->maximum)
      return martlet_fail(context, MARTLET_SHAPE_MISMATCH, "entry \"%s\": %s is %d, must be in %d...%d", entry->name,
                          symbol->name, symbols[i], symbol->minimum, symbol->maximum);
  }
  for (i = 0; i < entry->input_count; ++i) {
    const martlet_tensor_info *info = entry->inputs[i];
    for (axis = 0; info->kind == MARTLET_TENSOR && axis < info->rank; ++axis) {
      const martlet_dim *dim = &info->dims[axis];
      if (dim->kind == MARTLET_DIM_EXPRESSION) {
        const int64_t expected = martlet_extent(entry, dim, symbols);
        if (inputs[i].dims[axis] != expected)
          return martlet_fail(context, MARTLET_SHAPE_MISMATCH, "input \"%s\": dimension %d is %d, expected %s = %d",
                              info->name, (int64_t)axis, inputs[i].dims[axis], entry->expressions[dim->value]->text,
                              expected);
      }
    }
  }
  return MARTLET_OK;
}

MARTLET_LOCAL martlet_status martlet_bind(martlet_context *context, const martlet_entry *entry,
                                          const martlet_tensor *inputs, int64_t *symbols) {
  martlet_status status = martlet_bind_symbols(context, entry, inputs, symbols);
  return status ? status : martlet_check_symbols(context, entry, inputs, symbols);
}

/* Extents of an output. 0: one of them depends on data. */
MARTLET_LOCAL int martlet_output_dims(const martlet_entry *entry, int32_t index, const int64_t *symbols,
                                      int64_t *dims) {
  const martlet_tensor_info *info = entry->outputs[index];
  int32_t axis;
  if (info->kind != MARTLET_TENSOR || info->rank < 0 || info->rank > MARTLET_MAXIMUM_RANK) return 0;
  for (axis = 0; axis < info->rank; ++axis) {
    dims[axis] = martlet_extent(entry, &info->dims[axis], symbols);
    if (dims[axis] < 0) return 0;
  }
  return 1;
}

MARTLET_LOCAL int64_t martlet_workspace_for(const martlet_entry *entry, int64_t planned, const int64_t *symbols) {
  int64_t dims[MARTLET_MAXIMUM_RANK];
  int64_t total;
  int32_t i;
  for (i = 0; i < entry->symbol_count; ++i)
    if (symbols[i] < entry->symbols[i]->minimum || symbols[i] > entry->symbols[i]->maximum) return -1;
  if (planned < 0) return -1;
  /* The caller's memory may start anywhere. */
  total = martlet_size_add(martlet_align(planned), MARTLET_ALIGNMENT - 1);
  for (i = 0; i < entry->output_count; ++i)
    if (martlet_output_dims(entry, i, symbols, dims))
      total = martlet_size_add(
          total, martlet_align(martlet_dense_bytes(entry->outputs[i]->type, dims, entry->outputs[i]->rank)));
  return total > MARTLET_SIZE_LIMIT ? -1 : total;
}

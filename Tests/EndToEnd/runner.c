/* Runs entries of the artifact `m` on inputs from a file, and writes what they answer: for machines that run under an
 * emulator, which is started once for many runs.
 *
 * Everything is 64-bit words, little endian; bytes are padded to whole words.
 *   requests   count, then of each: entry, new context (0 or 1), inputs, then of each: type, rank, dims, bytes, data
 *   answers    of each request: status, bytes of the message, message, outputs, then of each as above
 */
#include "m.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *requests, *answers;

static int64_t word(void) {
  int64_t value;
  if (fread(&value, sizeof value, 1, requests) != 1) exit(3);
  return value;
}

static void put(int64_t value) {
  if (fwrite(&value, sizeof value, 1, answers) != 1) exit(4);
}

static void put_bytes(const void *data, int64_t bytes) {
  static const char zeros[8];
  put(bytes);
  if (bytes && fwrite(data, (size_t)bytes, 1, answers) != 1) exit(4);
  if (bytes % 8 && fwrite(zeros, (size_t)(8 - bytes % 8), 1, answers) != 1) exit(4);
}

static void read_tensor(martlet_tensor *tensor, int64_t *dims) {
  int64_t bytes;
  memset(tensor, 0, sizeof *tensor);
  tensor->type = (int32_t)word();
  tensor->rank = (int32_t)word();
  tensor->dims = dims;
  for (int axis = 0; axis < tensor->rank; ++axis) dims[axis] = word();
  bytes = word();
  tensor->capacity = bytes;
  tensor->data = malloc((size_t)bytes + 8);
  if (bytes && fread(tensor->data, (size_t)((bytes + 7) / 8 * 8), 1, requests) != 1) exit(3);
}

static void put_tensor(const martlet_tensor *tensor) {
  int64_t count = 1;
  put(tensor->type);
  put(tensor->rank);
  for (int axis = 0; axis < tensor->rank; ++axis) {
    put(tensor->dims[axis]);
    count *= tensor->dims[axis];
  }
  put_bytes(tensor->data, (count * martlet_type_bits(tensor->type) + 7) / 8);
}

int main(int argc, char **argv) {
  const martlet_model *model = m_model();
  martlet_context *context = NULL;
  int64_t runs;
  const size_t memory_size = (size_t)64 << 20;
  void *memory = NULL;
  if (argc != 3 || !(requests = fopen(argv[1], "rb")) || !(answers = fopen(argv[2], "wb"))) return 2;
  for (runs = word(); runs > 0; --runs) {
    const int64_t number = word();
    const martlet_entry *entry = model->entries[number];
    martlet_tensor inputs[64], outputs[64];
    int64_t input_dims[64][MARTLET_MAXIMUM_RANK], output_dims[64][MARTLET_MAXIMUM_RANK];
    martlet_status status;
    if (word()) {
      martlet_options options = {.struct_size = sizeof options, .threads = 2};
      model->destroy(context);
      if (model->create(&options, &context)) {
        /* No heap? */
        if (!memory && !(memory = malloc(memory_size))) return 5;
        options.memory = memory;
        options.memory_size = memory_size;
        if (model->create(&options, &context)) return 5;
      }
    }
    if (word() != entry->input_count || entry->input_count > 64 || entry->output_count > 64) return 6;
    for (int i = 0; i < entry->input_count; ++i) read_tensor(&inputs[i], input_dims[i]);
    memset(outputs, 0, sizeof outputs);
    for (int i = 0; i < entry->output_count; ++i) outputs[i].dims = output_dims[i];
    status = martlet_call(model, (int32_t)number, context, inputs, outputs);
    put(status);
    put_bytes(model->last_error(context), (int64_t)strlen(model->last_error(context)));
    put(status ? 0 : entry->output_count);
    for (int i = 0; !status && i < entry->output_count; ++i) put_tensor(&outputs[i]);
    for (int i = 0; i < entry->input_count; ++i) free(inputs[i].data);
  }
  model->destroy(context);
  return fclose(answers) ? 4 : 0;
}

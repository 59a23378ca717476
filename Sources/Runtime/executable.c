/* main of an emitted executable: runs or measures the model it is linked with. Hosted C, a translation unit of its own,
 * compiled with -DMARTLET_PREFIX=<name>. */
#define _GNU_SOURCE 1
#include "martlet.h"

#include "arguments.c"
#include "npy.c"
#include "random.c"

#if !defined(__wasm__)
#include <sys/resource.h>
#endif
#include <sys/stat.h>
#include <time.h>

extern const martlet_model *PASTE(MARTLET_PREFIX, model)(void);

static const martlet_entry *find_entry(const martlet_model *model, const char *name, int32_t *index) {
  for (*index = 0; *index < model->entry_count; ++*index)
    if (!name || !strcmp(model->entries[*index]->name, name)) return model->entries[*index];
  FAIL(USAGE, "there is no entry %s", name ? name : "at all");
  return NULL;
}

static void require_tensor(const martlet_tensor_info *info, const char *what) {
  if (info->kind != MARTLET_TENSOR) FAIL(NOT_SUPPORTED, "%s %s: sequences are not supported here", what, info->name);
  if (!npy_type(info->type)) FAIL(NOT_SUPPORTED, "%s %s: strings are not supported here", what, info->name);
}

static void parse_shape(const pair *shape, const martlet_tensor_info *info, value *result) {
  const char *at = shape->text;
  int32_t rank = 0;
  for (;;) {
    char *end;
    errno = 0;
    const long long extent = strtoll(at, &end, 10);
    if (end == at || errno || extent < 0 || *at == '-' || rank == MARTLET_MAXIMUM_RANK || (*end && *end != 'x'))
      FAIL(USAGE, "--shape %s: expected NAME=1x3x8", shape->name);
    result->dims[rank++] = extent;
    if (!*end) break;
    at = end + 1;
  }
  if (rank != info->rank) FAIL(USAGE, "--shape %s: %s has rank %d", shape->name, info->name, info->rank);
  result->rank = rank;
}

/* What the given inputs and shapes say about symbols; `bind` checks it all later. */
static void learn_symbols(const martlet_tensor_info *info, const value *known, int64_t *symbols) {
  for (int32_t i = 0; known->rank == info->rank && i < info->rank; ++i)
    if (info->dims[i].kind == MARTLET_DIM_SYMBOL) symbols[info->dims[i].value] = known->dims[i];
}

static void make_dims(const martlet_entry *entry, const martlet_tensor_info *info, const int64_t *symbols,
                      value *result) {
  result->rank = info->rank;
  for (int32_t i = 0; i < info->rank; ++i) {
    const martlet_dim *dim = &info->dims[i];
    int64_t extent = dim->value;
    if (dim->kind == MARTLET_DIM_SYMBOL) extent = symbols[dim->value];
    for (int32_t s = 0; dim->kind == MARTLET_DIM_EXPRESSION && s < entry->symbol_count; ++s)
      if (symbols[s] < 0) extent = -1;
    if (dim->kind == MARTLET_DIM_EXPRESSION && extent >= 0) extent = entry->expressions[dim->value]->value(symbols);
    if (extent < 0)
      FAIL(USAGE, "input %s: dimension %d (%s) is open; give --shape %s=...", info->name, i,
           dim->kind == MARTLET_DIM_SYMBOL ? entry->symbols[dim->value]->name
           : dim->kind == MARTLET_DIM_EXPRESSION ? entry->expressions[dim->value]->text : "?", info->name);
    result->dims[i] = extent;
  }
}

static value *make_inputs(const arguments *a, const martlet_entry *entry) {
  value *values = calloc((size_t)entry->input_count + 1, sizeof(value));
  int64_t *symbols = calloc((size_t)entry->symbol_count + 1, sizeof(int64_t));
  if (!values || !symbols) FAIL(INPUT_FAULT, "not enough memory");
  for (int32_t i = 0; i < entry->symbol_count; ++i)
    symbols[i] = entry->symbols[i]->minimum == entry->symbols[i]->maximum ? entry->symbols[i]->minimum : -1;
  for (int32_t i = 0; i < entry->input_count; ++i) {
    const martlet_tensor_info *info = entry->inputs[i];
    const pair *file = find(a->inputs, a->input_count, info->name);
    const pair *shape = find_shape(a, entry, info->name);
    require_tensor(info, "input");
    values[i].type = info->type;
    values[i].rank = -1;
    if (file) {
      const char *reason = npy_read(file->text, &values[i]);
      if (reason) FAIL(INPUT_FAULT, "input %s: %s: %s", info->name, file->text, reason);
    } else if (shape) {
      parse_shape(shape, info, &values[i]);
    } else if (!a->random && !a->bench) {
      FAIL(USAGE, "input %s is missing: give --input %s=FILE.npy, or --random SEED", info->name, info->name);
    }
    learn_symbols(info, &values[i], symbols);
  }
  for (int32_t i = 0; i < entry->input_count; ++i) {
    const martlet_tensor_info *info = entry->inputs[i];
    if (values[i].data) continue;
    if (!a->random && !a->bench) FAIL(USAGE, "input %s has a shape but no data: --random SEED makes it up", info->name);
    if (values[i].rank < 0) make_dims(entry, info, symbols, &values[i]);
    const int64_t count = count_of(values[i].dims, values[i].rank);
    values[i].data = count < 0 ? NULL : calloc((size_t)bytes_of(info->type, count) + 1, 1);
    if (!values[i].data) FAIL(INPUT_FAULT, "input %s: not enough memory", info->name);
    random_fill(&values[i], info, a->seed, i);
  }
  free(symbols);
  return values;
}

static void write_json_text(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text; ++text) {
    const unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') fprintf(out, "\\%c", c);
    else if (c < 0x20) fprintf(out, "\\u%04x", c);
    else fputc(c, out);
  }
  fputc('"', out);
}

static void write_json_shape(FILE *out, const int64_t *dims, int32_t rank) {
  fputc('[', out);
  for (int32_t i = 0; i < rank; ++i) fprintf(out, i ? ", %lld" : "%lld", (long long)dims[i]);
  fputc(']', out);
}

/* Creates a folder and those above it. */
static void make_folder(const char *path) {
  char *copy = strdup(path);
  for (char *at = copy ? copy + 1 : NULL; at && *at; ++at)
    if (*at == '/') {
      *at = 0;
      mkdir(copy, 0777);
      *at = '/';
    }
  if (!copy || (mkdir(path, 0777) && errno != EEXIST)) FAIL(INPUT_FAULT, "%s: %s", path, strerror(errno));
  free(copy);
}

/* The file name of tensor number `index`: `/` becomes `_`, a name that is taken gets `.1`, `.2`... */
static char *file_name(char **taken, int32_t index, const char *name) {
  const size_t length = strlen(name);
  char *result = malloc(length + 16);
  if (!result) FAIL(INPUT_FAULT, "not enough memory");
  for (int suffix = 0;; ++suffix) {
    int32_t i = 0;
    for (size_t c = 0; c <= length; ++c) result[c] = name[c] == '/' ? '_' : name[c];
    if (suffix) snprintf(result + length, 16, ".%d", suffix);
    while (i < index && strcmp(taken[i], result)) ++i;
    if (i == index) return taken[index] = result;
  }
}

/* DIR/<name>.npy of each, and a list of them. */
static void save(const char *folder, const char *list, const martlet_tensor_info *const *infos, int32_t count,
                 const value *values) {
  const size_t room = strlen(folder) + 4096;
  char *path = malloc(room), **names = calloc((size_t)count + 1, sizeof(char *));
  if (!path || !names) FAIL(INPUT_FAULT, "not enough memory");
  make_folder(folder);
  snprintf(path, room, "%s/%s", folder, list);
  FILE *json = fopen(path, "wb");
  if (!json) FAIL(INPUT_FAULT, "%s: %s", path, strerror(errno));
  fputs("[", json);
  for (int32_t i = 0; i < count; ++i) {
    const value *v = &values[i];
    snprintf(path, room, "%s/%s.npy", folder, file_name(names, i, infos[i]->name));
    const char *reason = npy_write(path, v->type, v->dims, v->rank, v->data);
    if (reason) FAIL(INPUT_FAULT, "%s: %s", path, reason);
    fputs(i ? ",\n  {\"name\": " : "\n  {\"name\": ", json);
    write_json_text(json, infos[i]->name);
    fputs(", \"file\": ", json);
    write_json_text(json, path + strlen(folder) + 1);
    fprintf(json, ", \"type\": \"%s\", \"shape\": ", martlet_type_name(v->type));
    write_json_shape(json, v->dims, v->rank);
    fputs("}", json);
  }
  fputs("\n]\n", json);
  if (fclose(json)) FAIL(INPUT_FAULT, "%s/%s: cannot be written", folder, list);
  for (int32_t i = 0; i < count; ++i) free(names[i]);
  free(names);
  free(path);
}

static int exit_status(martlet_status status) {
  switch (status) {
  case MARTLET_OK: return FINE;
  case MARTLET_UNSUPPORTED_CPU: return NOT_SUPPORTED;
  case MARTLET_INTERNAL: return BUG;
  default: return INPUT_FAULT;
  }
}

/* Text from a model, for a terminal. */
static void print_name(const char *name) {
  for (; *name; ++name) putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static void print_outputs(const martlet_entry *entry, const value *values, int json) {
  if (json) fputs("{\"outputs\": [", stdout);
  for (int32_t i = 0; i < entry->output_count; ++i) {
    const int64_t count = count_of(values[i].dims, values[i].rank);
    if (json) {
      fputs(i ? ", {\"name\": " : "{\"name\": ", stdout);
      write_json_text(stdout, entry->outputs[i]->name);
      printf(", \"type\": \"%s\", \"shape\": ", martlet_type_name(values[i].type));
      write_json_shape(stdout, values[i].dims, values[i].rank);
      fputs("}", stdout);
      continue;
    }
    print_name(entry->outputs[i]->name);
    printf(" %s", martlet_type_name(values[i].type));
    write_json_shape(stdout, values[i].dims, values[i].rank);
    putchar(':');
    for (int64_t j = 0; j < count && j < 8; ++j) {
      putchar(' ');
      print_element(stdout, values[i].type, values[i].data, j);
    }
    puts(count > 8 ? " ..." : "");
  }
  if (json) puts("]}");
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* One run with its descriptors. */
typedef struct call {
  const martlet_model *model;
  const martlet_entry *entry;
  int32_t index;
  martlet_context *context;
  martlet_tensor *inputs, *outputs;
  value *results; /* dims of the outputs, and views of them */
} call;

static void run_once(call *c) {
  for (int32_t i = 0; i < c->entry->output_count; ++i)
    c->outputs[i] = (martlet_tensor){.dims = c->results[i].dims};
  const martlet_status status = martlet_call(c->model, c->index, c->context, c->inputs, c->outputs);
  if (status) {
    const char *message = c->model->last_error(c->context);
    FAIL(exit_status(status), "%s", *message ? message : c->model->status_text(status));
  }
}

/* The most memory that this process has had. */
static int64_t peak_bytes(void) {
#if defined(__wasm__)
  return (int64_t)__builtin_wasm_memory_size(0) * 65536;
#else
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (int64_t)usage.ru_maxrss * 1024;
#endif
}

static void measure(call *c, const arguments *a, double load_ms) {
  int64_t count = 0, room = 1024;
  double *samples = malloc(sizeof(double) * (size_t)room);
  /* A tenth of the time, and at least twice, to fault pages in and wake the clocks up. */
  const double start = now();
  int warm = 0;
  do run_once(c);
  while (++warm < 2 || now() - start < a->seconds / 10);
  const double end = now() + a->seconds;
  for (double before = now(); samples && (count < 3 || before < end) && count < 10000000;) {
    run_once(c);
    const double after = now();
    if (count == room) {
      double *more = realloc(samples, sizeof(double) * (size_t)(room *= 2));
      if (!more) break;
      samples = more;
    }
    samples[count++] = (after - before) * 1e3;
    before = after;
  }
  if (!count) FAIL(INPUT_FAULT, "not enough memory");
  qsort(samples, (size_t)count, sizeof *samples, compare);
  const double median = (samples[(count - 1) / 2] + samples[count / 2]) / 2, p90 = samples[(count * 9 + 9) / 10 - 1];
  const int threads = c->model->thread_count(c->context);
  if (a->json) {
    fputs("{\"model\": ", stdout);
    write_json_text(stdout, c->model->name);
    fputs(", \"entry\": ", stdout);
    write_json_text(stdout, c->entry->name);
    fputs(", \"target\": ", stdout);
    write_json_text(stdout, c->model->target);
    printf(", \"threads\": %d, \"runs\": %lld, \"ms\": {\"min\": %.6g, \"median\": %.6g, \"p90\": %.6g}", threads,
           (long long)count, samples[0], median, p90);
    printf(", \"compile_ms\": null, \"cache\": \"off\", \"load_ms\": %.6g, \"workspace_bytes\": %lld", load_ms,
           (long long)c->model->workspace_bytes(c->context));
    printf(", \"weights_bytes\": %lld, \"peak_rss_bytes\": %lld}\n", (long long)c->model->weights_size,
           (long long)peak_bytes());
  } else {
    print_name(c->model->name);
    putchar(' ');
    print_name(c->entry->name);
    printf(": min %.4g ms, median %.4g ms, p90 %.4g ms (%lld runs, %d threads, workspace %lld bytes)\n", samples[0],
           median, p90, (long long)count, threads, (long long)c->model->workspace_bytes(c->context));
  }
  free(samples);
}

int main(int count, char **words) {
  const arguments a = parse(count, words);
  const martlet_model *model = PASTE(MARTLET_PREFIX, model)();
  call c = {.model = model};
  c.entry = find_entry(model, a.entry, &c.index);
  check_names(c.entry, a.inputs, a.input_count, "--input");
  check_shapes(model, &a);
  for (int32_t i = 0; i < c.entry->output_count; ++i) require_tensor(c.entry->outputs[i], "output");
  value *inputs = make_inputs(&a, c.entry);

  char message[512] = "";
  martlet_options options = {.struct_size = sizeof options, .threads = a.threads, .weights_path = a.weights,
                             .message = message, .message_capacity = sizeof message};
  const double start = now();
  const martlet_status status = model->create(&options, &c.context);
  const double load_ms = (now() - start) * 1e3;
  if (status) FAIL(exit_status(status), "%s", *message ? message : model->status_text(status));

  c.inputs = calloc((size_t)c.entry->input_count + 1, sizeof(martlet_tensor));
  c.outputs = calloc((size_t)c.entry->output_count + 1, sizeof(martlet_tensor));
  c.results = calloc((size_t)c.entry->output_count + 1, sizeof(value));
  if (!c.inputs || !c.outputs || !c.results) FAIL(INPUT_FAULT, "not enough memory");
  for (int32_t i = 0; i < c.entry->input_count; ++i)
    c.inputs[i] = (martlet_tensor){.data = inputs[i].data,
                                   .capacity = bytes_of(inputs[i].type, count_of(inputs[i].dims, inputs[i].rank)),
                                   .type = inputs[i].type, .rank = inputs[i].rank, .dims = inputs[i].dims};
  if (a.save_inputs) save(a.save_inputs, "inputs.json", c.entry->inputs, c.entry->input_count, inputs);
  if (a.bench) {
    measure(&c, &a, load_ms);
  } else {
    run_once(&c);
  }
  for (int32_t i = 0; i < c.entry->output_count; ++i) {
    c.results[i].type = c.outputs[i].type;
    c.results[i].rank = c.outputs[i].rank;
    c.results[i].data = c.outputs[i].data;
  }
  if (a.output_dir) save(a.output_dir, "outputs.json", c.entry->outputs, c.entry->output_count, c.results);
  if (!a.bench) print_outputs(c.entry, c.results, a.json);
  model->destroy(c.context);
  for (int32_t i = 0; i < c.entry->input_count; ++i) free(inputs[i].data);
  free(inputs);
  free(c.inputs);
  free(c.outputs);
  free(c.results);
  free(a.inputs);
  free(a.shapes);
  return fflush(stdout) ? INPUT_FAULT : FINE;
}

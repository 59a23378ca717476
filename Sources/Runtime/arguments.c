/* The command line of an emitted executable. Part of executable.c; hosted C. */
#include "martlet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

enum { FINE = 0, INPUT_FAULT = 1, USAGE = 2, NOT_SUPPORTED = 3, BUG = 70 };

/* NAME=VALUE */
typedef struct pair {
  const char *name;
  int64_t length;
  const char *text;
} pair;

typedef struct arguments {
  int bench, json, random;
  uint64_t seed;
  const char *entry, *output_dir, *save_inputs, *weights;
  int32_t threads;
  double seconds;
  int32_t input_count, shape_count;
  pair *inputs, *shapes;
} arguments;

static const char *program_name = TEXT(MARTLET_PREFIX);

#define FAIL(status, ...) \
  (fprintf(stderr, "%s: ", program_name), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(status))

static const char help[] =
    "Usage: %s [run] --input NAME=FILE.npy... [options]\n"
    "       %s bench [options]\n"
    "\n"
    "Runs the compiled model on inputs, or measures it.\n"
    "\n"
    "  --entry NAME           the entry to run; default: the first\n"
    "  --input NAME=FILE.npy  an input; may be given several times\n"
    "  --random SEED          makes up the inputs that are not given (bench always does)\n"
    "  --shape NAME=1x3x8     the shape of an input that is made up and has open dims; ENTRY/NAME=... is that of\n"
    "                         one entry alone\n"
    "  --output-dir DIR       writes DIR/<output>.npy and DIR/outputs.json\n"
    "  --save-inputs DIR      writes the inputs that were used, in the same way\n"
    "  --threads N            at most N threads\n"
    "  --seconds S            how long bench measures; default: 2\n"
    "  --weights FILE         the weights file of an artifact compiled with --weights file\n"
    "  --json                 prints one JSON object\n"
    "  --help                 this text\n"
    "\n"
    "Example: %s bench --shape image=1x3x224x224 --threads 2 --json\n";

static pair parse_pair(const char *option, const char *text) {
  const char *equals = strchr(text, '=');
  if (!equals || equals == text || !equals[1]) FAIL(USAGE, "%s %s: expected NAME=VALUE", option, text);
  return (pair){text, equals - text, equals + 1};
}

static double parse_number(const char *option, const char *text, double minimum, double maximum) {
  char *end;
  const double x = strtod(text, &end);
  if (end == text || *end || !(x >= minimum && x <= maximum))
    FAIL(USAGE, "%s %s: expected a number from %g to %g", option, text, minimum, maximum);
  return x;
}

static arguments parse(int count, char **words) {
  arguments a = {.seconds = 2};
  int at = 1;
  a.inputs = calloc((size_t)count + 1, sizeof(pair));
  a.shapes = calloc((size_t)count + 1, sizeof(pair));
  if (!a.inputs || !a.shapes) FAIL(INPUT_FAULT, "not enough memory");
  if (at < count && (!strcmp(words[at], "run") || !strcmp(words[at], "bench"))) a.bench = *words[at++] == 'b';
  for (; at < count; ++at) {
    const char *option = words[at];
    if (!strcmp(option, "--help") || !strcmp(option, "-h")) {
      printf(help, program_name, program_name, program_name);
      exit(FINE);
    }
    if (!strcmp(option, "--json")) {
      a.json = 1;
    } else if (!strcmp(option, "--bench")) {
      a.bench = 1;
    } else {
      static const char *const known[] = {"--entry", "--input", "--random", "--shape", "--output-dir",
                                          "--save-inputs", "--threads", "--seconds", "--weights"};
      int which = 0;
      while (which < 9 && strcmp(option, known[which])) ++which;
      if (which == 9) FAIL(USAGE, "unknown option %s; --help lists them", option);
      if (++at == count) FAIL(USAGE, "%s needs a value", option);
      const char *text = words[at];
      char *end;
      switch (which) {
      case 0: a.entry = text; break;
      case 1: a.inputs[a.input_count++] = parse_pair(option, text); break;
      case 2:
        a.random = 1;
        a.seed = strtoull(text, &end, 10);
        if (end == text || *end || *text == '-') FAIL(USAGE, "--random %s: expected a non-negative integer", text);
        break;
      case 3: a.shapes[a.shape_count++] = parse_pair(option, text); break;
      case 4: a.output_dir = text; break;
      case 5: a.save_inputs = text; break;
      case 6: a.threads = (int32_t)parse_number(option, text, 1, 1024); break;
      case 7: a.seconds = parse_number(option, text, 0, 86400); break;
      default: a.weights = text; break;
      }
    }
  }
  return a;
}

static const pair *find(const pair *pairs, int32_t count, const char *name) {
  for (int32_t i = 0; i < count; ++i)
    if ((int64_t)strlen(name) == pairs[i].length && !strncmp(pairs[i].name, name, (size_t)pairs[i].length))
      return &pairs[i];
  return NULL;
}

/* The shape given for an input of an entry, as ENTRY/NAME or as NAME. */
static const pair *find_shape(const arguments *a, const martlet_entry *entry, const char *name) {
  const size_t length = strlen(entry->name);
  for (int32_t i = 0; i < a->shape_count; ++i) {
    pair rest = a->shapes[i];
    if (rest.length <= (int64_t)length || strncmp(rest.name, entry->name, length) || rest.name[length] != '/') continue;
    rest.name += length + 1;
    rest.length -= (int64_t)length + 1;
    if (find(&rest, 1, name)) return &a->shapes[i];
  }
  return find(a->shapes, a->shape_count, name);
}

/* Shapes may be those of other entries' inputs. */
static void check_shapes(const martlet_model *model, const arguments *a) {
  for (int32_t i = 0; i < a->shape_count; ++i) {
    const arguments one = {.shapes = &a->shapes[i], .shape_count = 1};
    int known = 0;
    for (int32_t e = 0; e < model->entry_count; ++e)
      for (int32_t j = 0; j < model->entries[e]->input_count; ++j)
        known |= find_shape(&one, model->entries[e], model->entries[e]->inputs[j]->name) != NULL;
    if (!known) FAIL(USAGE, "--shape %.*s: there is no such input", (int)a->shapes[i].length, a->shapes[i].name);
  }
}

static void check_names(const martlet_entry *entry, const pair *pairs, int32_t count, const char *option) {
  for (int32_t i = 0; i < count; ++i) {
    int32_t j = 0;
    while (j < entry->input_count && find(&pairs[i], 1, entry->inputs[j]->name) == NULL) ++j;
    if (j == entry->input_count)
      FAIL(USAGE, "%s %.*s: entry %s has no such input", option, (int)pairs[i].length, pairs[i].name, entry->name);
  }
}

/* Whether this machine has the features the kernels were compiled for. The names are LLVM's. A name that is not listed
 * here cannot be checked and is refused: better a clear failure of `create` than an illegal instruction in `run`.
 * Machines without a table of their own (wasm, whose engines validate code, and bare metal) are not checked. */
#include "runtime.h"

MARTLET_LOCAL int martlet_same_text(const char *a, const char *b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

#if defined(__x86_64__)
#define MARTLET_CPU_CHECK 1

typedef struct martlet_feature {
  const char *name;
  uint32_t leaf;
  uint8_t subleaf;
  uint8_t word; /* eax, ebx, ecx, edx */
  uint8_t bit;
  uint8_t level;  /* the first of x86-64-v2...v4 that includes it, or 0 */
  uint32_t state; /* bits of XCR0: registers the operating system must save */
} martlet_feature;

enum { MARTLET_AVX = 0x6, MARTLET_AVX512 = 0xe6, MARTLET_AMX = 0x60000 };

static const martlet_feature martlet_features[] = {
    {"sse", 1, 0, 3, 25, 1, 0},
    {"sse2", 1, 0, 3, 26, 1, 0},
    {"sse3", 1, 0, 2, 0, 2, 0},
    {"pclmul", 1, 0, 2, 1, 0, 0},
    {"ssse3", 1, 0, 2, 9, 2, 0},
    {"cx16", 1, 0, 2, 13, 2, 0},
    {"sse4.1", 1, 0, 2, 19, 2, 0},
    {"sse4.2", 1, 0, 2, 20, 2, 0},
    {"popcnt", 1, 0, 2, 23, 2, 0},
    {"sahf", 0x80000001, 0, 2, 0, 2, 0},
    {"sse4a", 0x80000001, 0, 2, 6, 0, 0},
    {"prfchw", 0x80000001, 0, 2, 8, 0, 0},
    {"aes", 1, 0, 2, 25, 0, 0},
    {"fma", 1, 0, 2, 12, 3, MARTLET_AVX},
    {"movbe", 1, 0, 2, 22, 3, 0},
    {"xsave", 1, 0, 2, 26, 3, 0},
    {"avx", 1, 0, 2, 28, 3, MARTLET_AVX},
    {"f16c", 1, 0, 2, 29, 3, MARTLET_AVX},
    {"lzcnt", 0x80000001, 0, 2, 5, 3, 0},
    {"bmi", 7, 0, 1, 3, 3, 0},
    {"avx2", 7, 0, 1, 5, 3, MARTLET_AVX},
    {"bmi2", 7, 0, 1, 8, 3, 0},
    {"adx", 7, 0, 1, 19, 0, 0},
    {"sha", 7, 0, 1, 29, 0, 0},
    {"avx512f", 7, 0, 1, 16, 4, MARTLET_AVX512},
    {"avx512dq", 7, 0, 1, 17, 4, MARTLET_AVX512},
    {"avx512cd", 7, 0, 1, 28, 4, MARTLET_AVX512},
    {"avx512bw", 7, 0, 1, 30, 4, MARTLET_AVX512},
    {"avx512vl", 7, 0, 1, 31, 4, MARTLET_AVX512},
    {"avx512ifma", 7, 0, 1, 21, 0, MARTLET_AVX512},
    {"avx512vbmi", 7, 0, 2, 1, 0, MARTLET_AVX512},
    {"avx512vbmi2", 7, 0, 2, 6, 0, MARTLET_AVX512},
    {"avx512vnni", 7, 0, 2, 11, 0, MARTLET_AVX512},
    {"avx512bitalg", 7, 0, 2, 12, 0, MARTLET_AVX512},
    {"avx512vpopcntdq", 7, 0, 2, 14, 0, MARTLET_AVX512},
    {"avx512vp2intersect", 7, 0, 3, 8, 0, MARTLET_AVX512},
    {"avx512fp16", 7, 0, 3, 23, 0, MARTLET_AVX512},
    {"avx512bf16", 7, 1, 0, 5, 0, MARTLET_AVX512},
    {"gfni", 7, 0, 2, 8, 0, 0},
    {"vaes", 7, 0, 2, 9, 0, MARTLET_AVX},
    {"vpclmulqdq", 7, 0, 2, 10, 0, MARTLET_AVX},
    {"avxvnni", 7, 1, 0, 4, 0, MARTLET_AVX},
    {"avxifma", 7, 1, 0, 23, 0, MARTLET_AVX},
    {"avxvnniint8", 7, 1, 3, 4, 0, MARTLET_AVX},
    {"avxneconvert", 7, 1, 3, 5, 0, MARTLET_AVX},
    {"avxvnniint16", 7, 1, 3, 10, 0, MARTLET_AVX},
    {"amx-bf16", 7, 0, 3, 22, 0, MARTLET_AMX},
    {"amx-tile", 7, 0, 3, 24, 0, MARTLET_AMX},
    {"amx-int8", 7, 0, 3, 25, 0, MARTLET_AMX},
    {"amx-fp16", 7, 1, 0, 21, 0, MARTLET_AMX},
};

MARTLET_LOCAL void martlet_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t words[4]) {
  __asm__ volatile("cpuid"
                   : "=a"(words[0]), "=b"(words[1]), "=c"(words[2]), "=d"(words[3])
                   : "a"(leaf), "c"(subleaf));
}

MARTLET_LOCAL int martlet_cpu_has(const martlet_feature *feature) {
  uint32_t words[4];
  martlet_cpuid(feature->leaf & 0x80000000u, 0, words);
  if (words[0] < feature->leaf) return 0;
  if (feature->subleaf) {
    martlet_cpuid(feature->leaf, 0, words);
    if (words[0] < feature->subleaf) return 0;
  }
  martlet_cpuid(feature->leaf, feature->subleaf, words);
  if (!(words[feature->word] >> feature->bit & 1)) return 0;
  if (feature->state) {
    uint32_t low, high;
    martlet_cpuid(1, 0, words);
    if (!(words[2] >> 27 & 1)) return 0; /* OSXSAVE: without it xgetbv is an illegal instruction */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & feature->state) != feature->state) return 0;
#if MARTLET_SYSTEM
    /* Linux hands out the tile registers on request only. */
    if (feature->state == MARTLET_AMX && martlet_system(158, 0x1023, 18, 0, 0, 0, 0) != 0) return 0;
#endif
  }
  return 1;
}

/* NULL when `name` is met, else what is missing; *known is cleared when nothing is known about the name. */
MARTLET_LOCAL const char *martlet_cpu_lacks(const char *name, int *known) {
  const char *const levels[] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};
  const size_t count = sizeof martlet_features / sizeof martlet_features[0];
  size_t i;
  int level;
  for (level = 4; level > 0 && !martlet_same_text(name, levels[level - 1]); --level) {}
  if (level) {
    for (i = 0; i < count; ++i)
      if (martlet_features[i].level && martlet_features[i].level <= level && !martlet_cpu_has(&martlet_features[i]))
        return martlet_features[i].name;
    return NULL;
  }
  for (i = 0; i < count; ++i)
    if (martlet_same_text(name, martlet_features[i].name)) return martlet_cpu_has(&martlet_features[i]) ? NULL : name;
  *known = 0;
  return name;
}

#elif defined(__linux__) && defined(__aarch64__)
#define MARTLET_CPU_CHECK 1
extern unsigned long getauxval(unsigned long type);

typedef struct martlet_feature {
  const char *name;
  uint8_t type; /* AT_HWCAP or AT_HWCAP2 */
  uint8_t bit;
} martlet_feature;

static const martlet_feature martlet_features[] = {
    {"fp-armv8", 16, 0}, {"neon", 16, 1},    {"aes", 16, 3},     {"sha2", 16, 6},     {"crc", 16, 7},
    {"lse", 16, 8},      {"fullfp16", 16, 10}, {"rdm", 16, 12},  {"jsconv", 16, 13},  {"complxnum", 16, 14},
    {"rcpc", 16, 15},    {"sha3", 16, 17},   {"dotprod", 16, 20}, {"sve", 16, 22},    {"fp16fml", 16, 23},
    {"sve2", 26, 1},     {"f32mm", 26, 10},  {"i8mm", 26, 13},   {"bf16", 26, 14},    {"sme", 26, 23},
};

MARTLET_LOCAL const char *martlet_cpu_lacks(const char *name, int *known) {
  const char *const widths[] = {"sve-128", "sve-256", "sve-512", "sve-1024", "sve-2048"};
  size_t i;
  for (i = 0; i < sizeof martlet_features / sizeof martlet_features[0]; ++i)
    if (martlet_same_text(name, martlet_features[i].name))
      return getauxval(martlet_features[i].type) >> martlet_features[i].bit & 1 ? NULL : name;
  /* Code for a fixed vector length computes nonsense at any other. */
  for (i = 0; i < sizeof widths / sizeof widths[0]; ++i)
    if (martlet_same_text(name, widths[i])) {
#if MARTLET_SYSTEM
      long length = martlet_system(MARTLET_SYS_PRCTL, 51 /* PR_SVE_GET_VL */, 0, 0, 0, 0, 0);
      return length > 0 && (length & 0xffff) == 16L << i ? NULL : name;
#else
      return name;
#endif
    }
  *known = 0;
  return name;
}

#elif defined(__linux__) && defined(__arm__)
#define MARTLET_CPU_CHECK 1
extern unsigned long getauxval(unsigned long type);

typedef struct martlet_feature {
  const char *name;
  uint8_t bit; /* of AT_HWCAP */
} martlet_feature;

static const martlet_feature martlet_features[] = {
    {"vfp2", 6}, {"neon", 12}, {"vfp3", 13}, {"vfp4", 16}, {"hwdiv-arm", 17}, {"hwdiv", 18},
};

MARTLET_LOCAL const char *martlet_cpu_lacks(const char *name, int *known) {
  size_t i;
  for (i = 0; i < sizeof martlet_features / sizeof martlet_features[0]; ++i)
    if (martlet_same_text(name, martlet_features[i].name))
      return getauxval(16) >> martlet_features[i].bit & 1 ? NULL : name;
  *known = 0;
  return name;
}

#elif defined(__linux__) && defined(__riscv)
#define MARTLET_CPU_CHECK 1
extern unsigned long getauxval(unsigned long type);

/* The kernel reports the single-letter extensions here; longer names would need riscv_hwprobe. */
MARTLET_LOCAL const char *martlet_cpu_lacks(const char *name, int *known) {
  if (name[0] >= 'a' && name[0] <= 'z' && !name[1]) return getauxval(16) >> (name[0] - 'a') & 1 ? NULL : name;
  *known = 0;
  return name;
}

#else
#define MARTLET_CPU_CHECK 0
#endif

MARTLET_LOCAL martlet_status martlet_check_cpu(martlet_context *context) {
#if MARTLET_CPU_CHECK
  const char *const *name = context->config->features;
  for (; name && *name; ++name) {
    int known = 1;
    const char *missing = martlet_cpu_lacks(*name, &known);
    if (!known)
      return martlet_fail(context, MARTLET_UNSUPPORTED_CPU,
                          "%s was compiled for %s: CPU feature %s cannot be checked on this machine",
                          context->config->model->name, context->config->model->target, *name);
    if (missing)
      return martlet_fail(context, MARTLET_UNSUPPORTED_CPU, "%s was compiled for %s: this CPU lacks %s",
                          context->config->model->name, context->config->model->target, missing);
  }
#else
  (void)context;
#endif
  return MARTLET_OK;
}

#include "include/CData.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char x86_64[] = {
#embed "../../Targets/Profiles/x86-64.json"
};
static const char x86_64_v3[] = {
#embed "../../Targets/Profiles/x86-64-v3.json"
};
static const char x86_64_v4[] = {
#embed "../../Targets/Profiles/x86-64-v4.json"
};
static const char icelake[] = {
#embed "../../Targets/Profiles/icelake.json"
};
static const char sapphirerapids[] = {
#embed "../../Targets/Profiles/sapphirerapids.json"
};
static const char znver4[] = {
#embed "../../Targets/Profiles/znver4.json"
};
static const char znver5[] = {
#embed "../../Targets/Profiles/znver5.json"
};
static const char cortex_a53[] = {
#embed "../../Targets/Profiles/cortex-a53.json"
};
static const char aarch64[] = {
#embed "../../Targets/Profiles/aarch64.json"
};
static const char cortex_a76[] = {
#embed "../../Targets/Profiles/cortex-a76.json"
};
static const char neoverse_n1[] = {
#embed "../../Targets/Profiles/neoverse-n1.json"
};
static const char neoverse_v2[] = {
#embed "../../Targets/Profiles/neoverse-v2.json"
};
static const char apple_m1[] = {
#embed "../../Targets/Profiles/apple-m1.json"
};
static const char apple_m4[] = {
#embed "../../Targets/Profiles/apple-m4.json"
};
static const char armv7a_neon[] = {
#embed "../../Targets/Profiles/armv7a-neon.json"
};
static const char cortex_m4[] = {
#embed "../../Targets/Profiles/cortex-m4.json"
};
static const char cortex_m7[] = {
#embed "../../Targets/Profiles/cortex-m7.json"
};
static const char cortex_m33[] = {
#embed "../../Targets/Profiles/cortex-m33.json"
};
static const char cortex_m55[] = {
#embed "../../Targets/Profiles/cortex-m55.json"
};
static const char riscv64gc[] = {
#embed "../../Targets/Profiles/riscv64gc.json"
};
static const char riscv64gcv[] = {
#embed "../../Targets/Profiles/riscv64gcv.json"
};
static const char wasm32_simd[] = {
#embed "../../Targets/Profiles/wasm32-simd.json"
};

static const CDataFile profiles[] = {
    {"x86-64", x86_64, sizeof x86_64},
    {"x86-64-v3", x86_64_v3, sizeof x86_64_v3},
    {"x86-64-v4", x86_64_v4, sizeof x86_64_v4},
    {"icelake", icelake, sizeof icelake},
    {"sapphirerapids", sapphirerapids, sizeof sapphirerapids},
    {"znver4", znver4, sizeof znver4},
    {"znver5", znver5, sizeof znver5},
    {"cortex-a53", cortex_a53, sizeof cortex_a53},
    {"aarch64", aarch64, sizeof aarch64},
    {"cortex-a76", cortex_a76, sizeof cortex_a76},
    {"neoverse-n1", neoverse_n1, sizeof neoverse_n1},
    {"neoverse-v2", neoverse_v2, sizeof neoverse_v2},
    {"apple-m1", apple_m1, sizeof apple_m1},
    {"apple-m4", apple_m4, sizeof apple_m4},
    {"armv7a-neon", armv7a_neon, sizeof armv7a_neon},
    {"cortex-m4", cortex_m4, sizeof cortex_m4},
    {"cortex-m7", cortex_m7, sizeof cortex_m7},
    {"cortex-m33", cortex_m33, sizeof cortex_m33},
    {"cortex-m55", cortex_m55, sizeof cortex_m55},
    {"riscv64gc", riscv64gc, sizeof riscv64gc},
    {"riscv64gcv", riscv64gcv, sizeof riscv64gcv},
    {"wasm32-simd", wasm32_simd, sizeof wasm32_simd},
};

size_t cdata_profile_count(void) { return sizeof profiles / sizeof profiles[0]; }

CDataFile cdata_profile(size_t index) { return profiles[index]; }

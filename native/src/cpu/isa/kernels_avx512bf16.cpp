// The kernels for AVX-512 with products of bytes by AVX512_VNNI and of bf16 by AVX512_BF16.
#define IVL_VNNI
#define IVL_BF16
#include "cpu/isa/kernels_avx512.cpp"

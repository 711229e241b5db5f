// The kernels for AVX-512 with products of bytes by AVX512_VNNI.
#define IVL_VNNI
#include "cpu/isa/kernels_avx512.cpp"

// The kernels for AVX2 with products of bytes by AVX-VNNI.
#define IVL_VNNI
#include "cpu/isa/kernels_avx2.cpp"

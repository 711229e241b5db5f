// Which kind of product the types ask for.

void products(const ProductArgs& p) {
  if (p.int4.values != nullptr) return int4_products_of_few(p);
  if (p.in_type == DType::BF16) return float_products_of_few<Bf16Rows>(p);
  switch (p.dtype) {
    case DType::F32: return float_products_of_few<F32Rows<DType::F32>>(p);
    case DType::BF16: return float_products_of_few<F32Rows<DType::BF16>>(p);
    case DType::F16: return float_products_of_few<F32Rows<DType::F16>>(p);
  }
}

void packed_products(const ProductArgs& p) {
  if (p.int4.values != nullptr) {
    return p.in_type == DType::BF16 ? int4_products_of_many<PairUnits>(p) : int4_products_of_many<FloatUnits<DType::F32>>(p);
  }
  if (p.in_type == DType::BF16) return products_of_many<PairUnits>(p);
  switch (p.dtype) {
    case DType::F32: return products_of_many<FloatUnits<DType::F32>>(p);
    case DType::BF16: return products_of_many<FloatUnits<DType::BF16>>(p);
    case DType::F16: return products_of_many<FloatUnits<DType::F16>>(p);
  }
}

// Tiles are compiled for every number of rows up to a most, so that their accumulators are registers.

template <int kRows>
struct RowCount {
  static constexpr int value = kRows;
};

// body(count) with count.value == rows, from 1 to kMost; kMost for more.
template <int kMost, class Body>
inline void with_row_count(int64_t rows, const Body& body) {
  if constexpr (kMost > 1) {
    if (rows < kMost) return with_row_count<kMost - 1>(rows, body);
  }
  body(RowCount<kMost>{});
}

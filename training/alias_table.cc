#include "training/alias_table.h"

namespace bouquet::training {

AliasTable::AliasTable(std::span<const double> weights) : cells_(weights.size()) {
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<double> share(weights.size());  // of one cell: 1 on average
  std::vector<size_t> poor, rich;
  for (size_t i = 0; i < weights.size(); ++i) {
    share[i] = weights[i] * static_cast<double>(weights.size()) / total;
    (share[i] < 1 ? poor : rich).push_back(i);
    cells_[i] = {uint64_t{1} << 32, static_cast<int32_t>(i)};
  }
  while (!poor.empty() && !rich.empty()) {  // each poor cell is filled up by a rich one
    const size_t small = poor.back(), large = rich.back();
    poor.pop_back();
    cells_[small] = {static_cast<uint64_t>(share[small] * 0x1p32), static_cast<int32_t>(large)};
    share[large] -= 1 - share[small];
    if (share[large] >= 1) continue;
    rich.pop_back();
    poor.push_back(large);
  }
}

}  // namespace bouquet::training

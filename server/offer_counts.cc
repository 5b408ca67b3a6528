#include "server/offer_counts.h"

#include <array>
#include <variant>

namespace bouquet::server {
namespace {

const v1::RecommendedItem& item_of(const v1::RecommendedItem& row) { return row; }
const v1::RecommendedItem& item_of(const v1::CrossSellItem& row) { return row.item(); }
const v1::RecommendedItem& item_of(const v1::ActionOffer& row) { return row.item(); }

template <typename Request, typename Response>
void count(const Exchange<Request, Response>& exchange, const Placements& placements, Metrics& metrics) {
  if constexpr (requires(const Request& request) {  // else its rows are no offers
                  request.placement();
                  request.k();
                }) {
    std::array<int64_t, kItemKindCount> rows{};
    for (const auto& row : exchange.response->results()) ++rows[static_cast<size_t>(item_of(row).kind() - v1::ITEM_KIND_PRODUCT)];
    size_t position = placements.all().size();
    if (const std::string& name = exchange.request->placement(); !name.empty()) {
      const auto found = placements.find(name);
      if (!found.ok()) return;
      position = *found;
    }
    metrics.offered(position, rows);
  }
}

}  // namespace

void count_offers(const Question& question, const Placements& placements, Metrics& metrics) {
  std::visit([&](const auto& exchange) { count(exchange, placements, metrics); }, question);
}

}  // namespace bouquet::server

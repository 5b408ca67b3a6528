#include "server/wanted_rows.h"

#include <utility>

#include "engine/errors.h"
#include "server/bad_request.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

absl::Status wrong_field(const char* field, std::string problem) {
  FieldViolations violations;
  violations.add(field, std::move(problem));
  return violations.status();
}

KindSet set_of(const google::protobuf::RepeatedField<int>& kinds) {
  KindSet set = kinds.empty() ? kAllKinds : 0;
  for (const int kind : kinds) set |= static_cast<KindSet>(1 << (kind - v1::ITEM_KIND_PRODUCT));
  return set;
}

std::string names_of(KindSet kinds) {
  std::string names;
  for (int kind = 0; kind < kItemKindCount; ++kind)
    if ((kinds >> kind & 1) != 0) names += (names.empty() ? "" : ", ") + std::string(item_kind_name(static_cast<ItemKind>(kind)));
  return names;
}

// Both filters, as one.
std::string both(const std::string& placement, const std::string& request) {
  if (placement.empty()) return request;
  if (request.empty()) return placement;
  return "(" + placement + ") AND (" + request + ")";
}

class Selector {
 public:
  Selector(const ServedModel& served, const Placement* placement, const std::string& filter)
      : served_(served),
        placement_(placement),
        own_(filter),
        filter_(both(placement == nullptr ? std::string() : placement->filter, filter)) {}

  absl::StatusOr<ItemSelection> select(KindSet kinds) const {
    auto selection = served_.catalog().select(kinds, filter_);
    if (selection.ok()) return selection;
    if (placement_ == nullptr || placement_->filter.empty()) return wrong_field("filter", std::string(message_of(selection.status())));
    // Whose fault it is, with columns of their own text.
    if (const auto alone = served_.catalog().select(kinds, own_); !alone.ok())
      return wrong_field("filter", std::string(message_of(alone.status())));
    if (absl::Status s = check_filter(*placement_, served_.catalog()); !s.ok())
      return absl::FailedPreconditionError("the placement cannot be answered from this model: " + std::string(message_of(s)));
    return wrong_field("filter", "together with that of the placement: " + std::string(message_of(selection.status())));
  }

 private:
  const ServedModel& served_;
  const Placement* placement_;
  const std::string& own_;
  const std::string filter_;
};

}  // namespace

absl::StatusOr<WantedRows> wanted_rows(const ServedModel& served, const Placements& placements, const RowQuestion& question) {
  const Placement* placement = nullptr;
  if (!question.placement.empty()) {
    const auto found = placements.find(question.placement);
    if (!found.ok()) return found.status();
    placement = &placements.all()[*found];
  }
  WantedRows wanted;
  wanted.k = rows_wanted(question.k == 0 && placement != nullptr ? placement->k : question.k);
  KindSet kinds = set_of(question.kinds);
  if (placement != nullptr) {
    if (!question.may_mix && !placement->mix.empty())
      return wrong_field("placement", "'" + placement->name + "' mixes kinds of items, which this method does not do");
    kinds &= placement->kinds;
    if (kinds == 0) return wrong_field("kinds", "are none of those of placement '" + placement->name + "': " + names_of(placement->kinds));
  }
  const Selector selector(served, placement, question.filter);
  auto selection = selector.select(kinds);
  if (!selection.ok()) return selection.status();
  wanted.selection = *std::move(selection);
  if (placement == nullptr) return wanted;
  for (const KindShare& share : placement->mix) {
    const auto kind = static_cast<KindSet>(1 << static_cast<int>(share.kind));
    if ((kinds & kind) == 0) continue;
    auto of_kind = selector.select(kind);
    if (!of_kind.ok()) return of_kind.status();
    wanted.kinds.push_back({share.share, *std::move(of_kind)});
  }
  if (wanted.kinds.size() == 1) wanted.kinds.clear();
  return wanted;
}

}  // namespace bouquet::server

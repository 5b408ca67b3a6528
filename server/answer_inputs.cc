#include "server/answer_inputs.h"

namespace bouquet::server {

std::string inputs_of(const v1::RecommendRequest& request, const WireAttributes* wire) {
  v1::RecommendRequest inputs;
  if (request.has_group() || !request.recipient_id().empty()) return {};
  if (request.has_visitor()) *inputs.mutable_visitor() = request.visitor();
  *inputs.mutable_context_item_ids() = request.context_item_ids();
  *inputs.mutable_exclude_item_ids() = request.exclude_item_ids();
  inputs.set_filter(request.filter());
  *inputs.mutable_attributes() = request.attributes();
  if (request.has_packed_attributes()) *inputs.mutable_packed_attributes() = request.packed_attributes();
  std::string bytes = inputs.SerializeAsString();
  if (wire != nullptr) wire->append_to(bytes);
  return bytes;
}

void complete(const v1::RecommendRequest& kept, bool own_attributes, v1::RecommendRequest& request) {
  if (request.has_visitor()) *request.mutable_visitor() = kept.visitor();
  if (request.filter().empty()) request.set_filter(kept.filter());
  if (request.context_item_ids().empty() && request.exclude_item_ids().empty()) {
    *request.mutable_context_item_ids() = kept.context_item_ids();
    *request.mutable_exclude_item_ids() = kept.exclude_item_ids();
  }
  if (own_attributes) return;
  *request.mutable_attributes() = kept.attributes();
  if (kept.has_packed_attributes()) *request.mutable_packed_attributes() = kept.packed_attributes();
}

}  // namespace bouquet::server

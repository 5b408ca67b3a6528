// Answers for people (tables) and for programs (JSON).
#pragma once

#include <string>
#include <string_view>

#include "bouquet/v1/recommendations.pb.h"

namespace bouquet::server {

std::string as_table(const v1::RecommendResponse& response);
std::string as_table(const v1::SimilarItemsResponse& response);
std::string as_table(const v1::CrossSellResponse& response);

// The response as one line of JSON (proto field names, every field present) with `key`: `id` as its first member.
std::string as_json(const google::protobuf::Message& response, std::string_view key, std::string_view id);

}  // namespace bouquet::server

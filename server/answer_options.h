// The flags that recommend, similar and cross-sell have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/answerer.h"

namespace CLI {
class App;
}

namespace bouquet::server {

struct AnswerOptions {
  AnswerPlace place;
  std::optional<int32_t> k;
  std::vector<std::string> exclude;
  std::vector<std::string> kinds;  // product, content, action
  std::string filter;
  std::string placement;
  bool json = false;

  void add_to(CLI::App& command);

  // Puts k, exclude, kinds and filter into any request that has them. Errors: InvalidArgument (an unknown kind, k below 1).
  template <typename Request>
  absl::Status fill(Request* request) const {
    if (absl::Status s = check(); !s.ok()) return s;
    request->set_k(k.value_or(0));
    for (const std::string& id : exclude) request->add_exclude_item_ids(id);
    for (const std::string& kind : kinds) request->add_kinds(kind_named(kind));
    request->set_filter(filter);
    request->set_placement(placement);
    return absl::OkStatus();
  }

 private:
  static v1::ItemKind kind_named(const std::string& name);  // UNSPECIFIED: there is none of that name
  absl::Status check() const;
};

}  // namespace bouquet::server

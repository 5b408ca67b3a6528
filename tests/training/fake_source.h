// A store of events and attributes that a test fills.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "training/event_source.h"

namespace bouquet::training {

struct Given {
  std::string customer, item, type = "purchase", basket = {};
  int64_t time = 0;
  float value = 1;
};

class FakeSource : public EventSource {
 public:
  explicit FakeSource(std::vector<Given> events) : events_(std::move(events)) {}
  absl::Status read(const std::function<absl::Status(const SourceEvent&)>& take) override {
    for (const Given& e : events_)
      if (absl::Status s = take({e.customer, e.item, e.type, e.basket, e.time, e.value}); !s.ok()) return s;
    return absl::OkStatus();
  }
  absl::Status read_attributes(const std::function<absl::Status(const SourceAttribute&)>& take) override {
    for (const auto& [customer, said] : attributes)
      for (const auto& [name, value] : said)
        if (absl::Status s = take({customer, name, value}); !s.ok()) return s;
    return absl::OkStatus();
  }
  std::string identity() const override { return "feed"; }
  uint64_t newest_sequence() const override { return events_.size(); }
  std::optional<SourceErasure> erasure_of(std::string_view customer) const override {
    const auto at = erased.find(std::string(customer));
    return at == erased.end() ? std::nullopt : std::optional(at->second);
  }

  std::string root_of(std::string_view customer) const override {
    const auto at = roots.find(std::string(customer));
    return at == roots.end() ? std::string(customer) : at->second;
  }
  std::vector<std::string> person_of(std::string_view customer) const override {
    std::vector<std::string> person = {root_of(customer)};
    for (const auto& [id, root] : roots)
      if (root == person[0]) person.push_back(id);
    return person;
  }
  absl::StatusOr<std::vector<std::string>> taken_apart_since(uint64_t since) const override {
    return since < 5 ? taken_apart : std::vector<std::string>();
  }

  std::map<std::string, SourceErasure> erased;
  std::map<std::string, std::string> roots;  // of one root, whoever comes first is nearest
  std::vector<std::string> taken_apart;
  std::map<std::string, std::map<std::string, AttributeValue>> attributes;  // texts outlive this

 private:
  std::vector<Given> events_;
};

}  // namespace bouquet::training

// AnswerInputs that an event store keeps.
#pragma once

#include <string>

#include "engine/errors.h"
#include "server/answer_inputs.h"
#include "server/event_store/event_store.h"

namespace bouquet::server {

class StoredInputs final : public AnswerInputs {
 public:
  // `store` outlives this.
  explicit StoredInputs(const EventStore& store) : store_(store) {}

  absl::StatusOr<v1::RecommendRequest> read(const AnswerName& name, const std::string& customer_id) const override {
    const auto logged = store_.answer_of(customer_id, name.log());
    if (!logged.ok()) return logged.status();
    v1::RecommendRequest inputs;
    if (!inputs.ParseFromString(logged->inputs())) return bad_input("the store: what came with a request is damaged");
    return inputs;
  }

 private:
  const EventStore& store_;
};

}  // namespace bouquet::server

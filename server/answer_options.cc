#include "server/answer_options.h"

#include <CLI/CLI.hpp>

#include "engine/errors.h"

namespace bouquet::server {

void AnswerOptions::add_to(CLI::App& command) {
  command.add_option("--models", place.models, "Answer from the current model of this models directory")->type_name("DIR");
  command.add_option("--server", place.server, "Ask the server at this address instead: host:port or unix:PATH")->type_name("ADDRESS");
  command.add_option("--timeout-ms", place.timeout_ms, "Longest wait for the server")->capture_default_str()->check(CLI::Range(1, 600000));
  command.add_option("--backend", place.backend.name, "What computes, with --models: auto, cpu or cuda")->capture_default_str();
  command.add_option("--device", place.backend.device, "Which GPU of the cuda backend, from 0")->capture_default_str();
  command.add_option("--threads", place.backend.threads, "Threads of the cpu backend; 0: as many as the machine has")
      ->capture_default_str();
  command.add_option("-k,--k", k, "Rows wanted, 1 to 1000; 10 if neither this nor the placement says");
  command.add_option("--exclude", exclude, "Items that must not be offered")->type_name("ITEM...");
  command.add_option("--kind", kinds, "Offer only these kinds: product, content, action")->type_name("KIND...");
  command
      .add_option("--filter", filter,
                  "Offer only items whose attributes fit, such as 'price < 20 AND category: ANY(\"tea\")' (docs/api.md)")
      ->type_name("FILTER");
  command.add_option("--placement", placement, "A placement of the server's configuration, with --server")->type_name("NAME");
  command.add_flag("--json", json, "One JSON document on stdout");
}

v1::ItemKind AnswerOptions::kind_named(const std::string& name) {
  if (name == "product") return v1::ITEM_KIND_PRODUCT;
  if (name == "content") return v1::ITEM_KIND_CONTENT;
  if (name == "action") return v1::ITEM_KIND_ACTION;
  return v1::ITEM_KIND_UNSPECIFIED;
}

absl::Status AnswerOptions::check() const {
  // In a request 0 means "the default"; on a command line it is a mistake.
  if (k && *k < 1) return wrong_usage("-k is " + std::to_string(*k) + "; it must be 1 to 1000");
  if (!placement.empty() && place.server.empty())
    return wrong_usage("--placement is of a server's configuration: give --server ADDRESS too");
  for (const std::string& kind : kinds)
    if (kind_named(kind) == v1::ITEM_KIND_UNSPECIFIED)
      return wrong_usage("--kind '" + kind + "' is unknown; it takes product, content or action");
  return absl::OkStatus();
}

}  // namespace bouquet::server

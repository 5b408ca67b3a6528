#include "server/record_command.h"

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bouquet/v1/profiles.grpc.pb.h"
#include "engine/errors.h"
#include "server/answer_text.h"
#include "server/client_channel.h"
#include "server/status_mapping.h"

namespace bouquet::server {
namespace {

struct RecordOptions {
  std::string server, customer, type = "purchase", event_id;
  std::vector<std::string> items;
  double value = 1;
  int32_t timeout_ms = 5000;
  bool json = false;
};

v1::RecordEventsRequest request_of(const RecordOptions& options) {
  v1::RecordEventsRequest request;
  for (size_t i = 0; i < options.items.size(); ++i) {
    v1::CustomerEvent& said = *request.add_events();
    said.set_customer_id(options.customer);
    said.mutable_event()->set_item_id(options.items[i]);
    said.mutable_event()->set_type(options.type);
    said.mutable_event()->set_value(static_cast<float>(options.value));
    if (options.event_id.empty()) continue;
    said.mutable_event()->set_event_id(options.items.size() == 1 ? options.event_id : options.event_id + "-" + std::to_string(i + 1));
  }
  return request;
}

std::string table_of(const v1::RecordEventsRequest& request, const v1::RecordEventsResponse& response) {
  std::string text;
  for (int i = 0; i < response.results_size(); ++i) {
    const v1::EventResult& result = response.results(i);
    const v1::Event& event = request.events(i).event();
    text += event.type() + " of " + event.item_id() + ": ";
    if (result.code() != 0)
      text += "refused: " + result.message();
    else
      text += std::string(result.repeated_event() ? "was recorded before" : "recorded") + ", profile version " +
              std::to_string(result.profile_version()) + (result.unknown_item() ? "; the model does not know this item yet" : "");
    text += "\n";
  }
  return text;
}

absl::Status record(const RecordOptions& options) {
  const auto channel = open_channel(options.server, options.timeout_ms);
  if (!channel.ok()) return channel.status();
  const v1::RecordEventsRequest request = request_of(options);
  v1::RecordEventsResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(options.timeout_ms));
  if (absl::Status s = from_grpc(v1::Profiles::NewStub(*channel)->RecordEvents(&context, request, &response)); !s.ok()) return s;
  std::fputs((options.json ? as_json(response, "customer_id", options.customer) + "\n" : table_of(request, response)).c_str(), stdout);
  if (response.failed() > 0) return bad_input(std::to_string(response.failed()) + " of the events were not recorded");
  return absl::OkStatus();
}

}  // namespace

void add_record_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* command = app.add_subcommand("record", "Tell a server what a customer did just now; it counts in the next answer");
  command->footer(
      "Examples:\n"
      "  bouquet record --server 127.0.0.1:50051 --customer 2375 --item 1029743 995242\n"
      "  bouquet record --server unix:/run/bouquet.sock --customer 2375 --item 1029743 --type view");
  command->add_option("--server", options->server, "A server that keeps events (bouquet serve --store): host:port or unix:PATH")
      ->required()
      ->type_name("ADDRESS");
  command->add_option("--customer", options->customer, "Who")->required()->type_name("ID");
  command->add_option("--item", options->items, "With what, one event each")->required()->type_name("ID...");
  command->add_option("--type", options->type, "What was done: purchase, view, cart, rating, return, or a type of the shop's own")
      ->capture_default_str();
  command->add_option("--value", options->value, "Quantity, rating or minutes; negative is a return")->capture_default_str();
  command->add_option("--event-id", options->event_id, "Makes saying it again harmless; of several items with -1, -2, ... behind it")
      ->type_name("ID");
  command->add_option("--timeout-ms", options->timeout_ms, "For the connection, and for the call")->capture_default_str();
  command->add_flag("--json", options->json, "Print the answer as JSON");
  command->callback([options, &exit_code] { exit_code = report(record(*options)); });
}

}  // namespace bouquet::server

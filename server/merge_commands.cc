#include "server/merge_commands.h"

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "bouquet/v1/profiles.grpc.pb.h"
#include "engine/errors.h"
#include "server/answer_text.h"
#include "server/client_channel.h"
#include "server/status_mapping.h"

namespace bouquet::server {
namespace {

struct MergeOptions {
  std::string server, from, into, request_id;
  int32_t timeout_ms = 5000;
  bool json = false;
};

// One call, and what it answers printed: as JSON, or as `text` says it.
template <typename Request, typename Response, typename Text>
absl::Status call(const MergeOptions& options, grpc::Status (v1::Profiles::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, const Text& text) {
  const auto channel = open_channel(options.server, options.timeout_ms);
  if (!channel.ok()) return channel.status();
  Response response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(options.timeout_ms));
  v1::Profiles::Stub profiles(*channel);
  if (absl::Status s = from_grpc((profiles.*method)(&context, request, &response)); !s.ok()) return s;
  std::fputs((options.json ? as_json(response, "from_customer_id", options.from) : text(response)).c_str(), stdout);
  std::fputs("\n", stdout);
  return absl::OkStatus();
}

absl::Status merge(const MergeOptions& options) {
  v1::MergeCustomersRequest request;
  request.set_from_customer_id(options.from);
  request.set_into_customer_id(options.into);
  request.set_request_id(options.request_id);
  return call(options, &v1::Profiles::Stub::MergeCustomers, request, [&](const v1::MergeCustomersResponse& response) {
    const absl::Time until = absl::FromUnixSeconds(response.undo_until().seconds());
    return options.from + (response.repeated_request() ? " was merged before" : " is merged") + ", and is " + response.customer_id() +
           " now, profile version " + std::to_string(response.profile_version()) + "; `bouquet unmerge` until " +
           absl::FormatTime("%Y-%m-%d %H:%M UTC", until, absl::UTCTimeZone());
  });
}

absl::Status unmerge(const MergeOptions& options) {
  v1::UnmergeCustomersRequest request;
  request.set_from_customer_id(options.from);
  request.set_request_id(options.request_id);
  return call(options, &v1::Profiles::Stub::UnmergeCustomers, request, [&](const v1::UnmergeCustomersResponse& response) {
    return options.from + (response.repeated_request() ? " was taken out before of " : " is taken out of ") + response.customer_id() +
           ", profile version " + std::to_string(response.profile_version());
  });
}

CLI::App* add_command(CLI::App& app, const char* name, const char* description, MergeOptions& options) {
  CLI::App* command = app.add_subcommand(name, description);
  command->add_option("--server", options.server, "A server that keeps events (bouquet serve --store): host:port or unix:PATH")
      ->required()
      ->type_name("ADDRESS");
  command->add_option("from", options.from, "Who turned out to be somebody else, as a visitor who signed in")
      ->required()
      ->type_name("FROM");
  command->add_option("--request-id", options.request_id, "Makes saying it again harmless")->type_name("ID");
  command->add_option("--timeout-ms", options.timeout_ms, "For the connection, and for the call")->capture_default_str();
  command->add_flag("--json", options.json, "Print the answer as JSON");
  return command;
}

}  // namespace

void add_merge_commands(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<MergeOptions>();
  CLI::App* merging = add_command(app, "merge", "Tell a server that two customers are one person; it counts in the next answer", *options);
  merging->add_option("into", options->into, "Who that is")->required()->type_name("INTO");
  merging->footer("Example: bouquet merge --server 127.0.0.1:50051 visitor-81 2375");
  merging->callback([options, &exit_code] { exit_code = report(merge(*options)); });
  CLI::App* undoing = add_command(app, "unmerge", "Take a merge back, within 30 days: each is who it was", *options);
  undoing->footer("Example: bouquet unmerge --server 127.0.0.1:50051 visitor-81");
  undoing->callback([options, &exit_code] { exit_code = report(unmerge(*options)); });
}

}  // namespace bouquet::server

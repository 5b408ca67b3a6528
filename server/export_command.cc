#include "server/export_command.h"

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "bouquet/v1/profiles.grpc.pb.h"
#include "engine/errors.h"
#include "server/client_channel.h"
#include "server/status_mapping.h"

namespace bouquet::server {
namespace {

struct ExportOptions {
  std::string server, customer;
  int32_t timeout_ms = 60'000;
};

// Only the fields that are set: a piece says what it is by its one member.
std::string json_line(const v1::ExportCustomerResponse& piece) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  // A response of ours holds nothing that JSON cannot: finite numbers and valid UTF-8.
  return google::protobuf::util::MessageToJsonString(piece, &line, options).ok() ? line + "\n" : std::string();
}

absl::Status export_customer(const ExportOptions& options) {
  const auto channel = open_channel(options.server, options.timeout_ms);
  if (!channel.ok()) return channel.status();
  v1::ExportCustomerRequest request;
  request.set_customer_id(options.customer);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(options.timeout_ms));
  const auto stub = v1::Profiles::NewStub(*channel);
  const auto stream = stub->ExportCustomer(&context, request);
  v1::ExportCustomerResponse piece;
  while (stream->Read(&piece)) {
    const std::string line = json_line(piece);
    if (std::fwrite(line.data(), 1, line.size(), stdout) == line.size()) continue;
    context.TryCancel();
    return no_resource("the output cannot be written (is the disk full?)");
  }
  if (absl::Status s = from_grpc(stream->Finish()); !s.ok()) return s;
  return std::fflush(stdout) == 0 ? absl::OkStatus() : no_resource("the output cannot be written (is the disk full?)");
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Print everything that a server knows of a customer, as lines of JSON");
  command->footer(
      "Example:\n"
      "  bouquet export --server 127.0.0.1:50051 --customer 2375 > 2375.jsonl");
  command->add_option("--server", options->server, "host:port or unix:PATH")->required()->type_name("ADDRESS");
  command->add_option("--customer", options->customer, "Whom")->required()->type_name("ID");
  command->add_option("--timeout-ms", options->timeout_ms, "For the connection, and for the call")->capture_default_str();
  command->callback([options, &exit_code] { exit_code = report(export_customer(*options)); });
}

}  // namespace bouquet::server

#include "server/item_commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/errors.h"
#include "server/answer_options.h"
#include "server/answer_text.h"
#include "server/answerer.h"

namespace bouquet::server {
namespace {

struct ItemOptions {
  AnswerOptions answer;
  std::vector<std::string> items;
  bool explain = false;
};

absl::Status similar(const ItemOptions& options, const BackendFactory& backends) {
  v1::SimilarItemsRequest request;
  if (absl::Status s = options.answer.fill(&request); !s.ok()) return s;
  if (options.explain) request.set_explain(v1::EXPLAIN_TOP);
  auto answerer = make_answerer(options.answer.place, backends);
  if (!answerer.ok()) return answerer.status();
  std::string text;
  for (const std::string& item : options.items) {
    request.set_item_id(item);
    v1::SimilarItemsResponse response;
    if (absl::Status s = (*answerer)->similar_items(request, &response); !s.ok()) return s;
    if (!text.empty()) text += options.answer.json ? "," : "\n";
    text += options.answer.json ? as_json(response, "item_id", item) : "similar to " + item + "\n" + as_table(response);
  }
  if (options.answer.json) text = "{\"answers\":[" + text + "]}\n";
  std::fputs(text.c_str(), stdout);
  return absl::OkStatus();
}

absl::Status cross_sell(const ItemOptions& options, const BackendFactory& backends) {
  v1::CrossSellRequest request;
  if (absl::Status s = options.answer.fill(&request); !s.ok()) return s;
  if (options.explain) request.set_explain(v1::EXPLAIN_TOP);
  std::string basket;
  for (const std::string& item : options.items) {
    request.add_item_ids(item);
    basket += (basket.empty() ? "" : " ") + item;
  }
  auto answerer = make_answerer(options.answer.place, backends);
  if (!answerer.ok()) return answerer.status();
  v1::CrossSellResponse response;
  if (absl::Status s = (*answerer)->cross_sell(request, &response); !s.ok()) return s;
  const std::string text = options.answer.json ? as_json(response, "basket", basket) + "\n" : "with " + basket + "\n" + as_table(response);
  std::fputs(text.c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

void add_similar_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<ItemOptions>();
  CLI::App* command = app.add_subcommand("similar", "Items like an item");
  command->footer("Example:\n  bouquet similar --models models --item 1029743 -k 5");
  command->add_option("--item", options->items, "The items, one answer each")->required()->type_name("ID...");
  command->add_flag("--explain", options->explain, "Say under each row why it is there");
  options->answer.add_to(*command);
  command->callback([options, backends, &exit_code] { exit_code = report(similar(*options, backends)); });
}

void add_cross_sell_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<ItemOptions>();
  CLI::App* command = app.add_subcommand("cross-sell", "What goes into one basket with items");
  command->footer("Example:\n  bouquet cross-sell --server 127.0.0.1:50051 --item 1029743 995242");
  command->add_option("--item", options->items, "The basket: one answer for all of them")->required()->type_name("ID...");
  command->add_flag("--explain", options->explain, "Say under each row why it is there");
  options->answer.add_to(*command);
  command->callback([options, backends, &exit_code] { exit_code = report(cross_sell(*options, backends)); });
}

}  // namespace bouquet::server

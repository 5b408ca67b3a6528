#include "training/generate_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/errors.h"
#include "engine/seconds_since.h"
#include "training/progress.h"
#include "training/shop_files.h"

namespace bouquet::training {
namespace {

struct GenerateFlags {
  std::string preset = "demo";
  std::optional<int32_t> customers, items, clusters;
  PlantSettings plant;
  std::string truth = "linear";
  std::optional<int64_t> events;
  uint64_t seed = 1;
  std::string format = "csv", order = "customer", out;
  bool json = false;
};

absl::StatusOr<ShopSettings> settings_of(const GenerateFlags& flags) {
  absl::StatusOr<ShopSettings> settings = shop_preset(flags.preset);
  if (!settings.ok()) return settings;
  settings->customers = flags.customers.value_or(settings->customers);
  settings->items = flags.items.value_or(settings->items);
  settings->events = flags.events.value_or(settings->events);
  // A smaller shop has fewer tastes, unless it is said how many.
  settings->clusters = flags.clusters.value_or(std::min(settings->clusters, std::max(1, settings->items / 20)));
  settings->seed = flags.seed;
  settings->plant = flags.plant;
  settings->plant.linear = flags.truth == "linear";
  return settings;
}

void print_summary(const ShopSettings& settings, const ShopFiles& files, double seconds, bool json) {
  if (json) {
    const nlohmann::ordered_json summary = {{"files", files.files},     {"customers", settings.customers},
                                            {"items", settings.items},  {"events", files.events},
                                            {"returns", files.returns}, {"pairs", files.pairs},
                                            {"baskets", files.baskets}, {"clusters", settings.clusters},
                                            {"seed", settings.seed},    {"bytes", files.bytes},
                                            {"seconds", seconds}};
    std::printf("%s\n", summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%d customers, %d items, %lld events in %lld baskets (%lld distinct pairs, %lld returns), seed %llu, %.1f s\n",
              settings.customers, settings.items, static_cast<long long>(files.events), static_cast<long long>(files.baskets),
              static_cast<long long>(files.pairs), static_cast<long long>(files.returns), static_cast<unsigned long long>(settings.seed),
              seconds);
  for (const std::string& file : files.files) std::printf("%s\n", file.c_str());
}

absl::Status run(const GenerateFlags& flags) {
  const absl::StatusOr<ShopSettings> settings = settings_of(flags);
  if (!settings.ok()) return settings.status();
  const absl::StatusOr<SyntheticShop> shop = SyntheticShop::make(*settings);
  if (!shop.ok()) return shop.status();
  const ShopFormat format = flags.format == "csv" ? ShopFormat::kCsv : ShopFormat::kJsonl;
  const ShopOrder order = flags.order == "time" ? ShopOrder::kTime : ShopOrder::kCustomer;
  const Clock::time_point start = Clock::now();
  const std::unique_ptr<Progress> progress = make_progress();
  progress->begin("generate events", settings->events);
  const absl::StatusOr<ShopFiles> files = write_shop(*shop, flags.out, format, order, [&](int64_t rows) { progress->step(rows, ""); });
  progress->end("");
  if (!files.ok()) return files.status();
  print_summary(*settings, *files, seconds_since(start), flags.json);
  return absl::OkStatus();
}

}  // namespace

void add_generate_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<GenerateFlags>();
  CLI::App* command = app.add_subcommand("generate", "Write the files of a synthetic shop with planted tastes");
  command->add_option("--preset", flags->preset, "demo, shop, grocery or ml20m; the flags below change it")->capture_default_str();
  command->add_option("--customers", flags->customers, "how many customers");
  command->add_option("--items", flags->items, "how many items");
  command->add_option("--events", flags->events, "how many rows, returns included");
  command->add_option("--clusters", flags->clusters, "how many planted tastes");
  command->add_option("--attributes", flags->plant.attributes, "attributes of each customer and of each item, which tastes follow from")
      ->capture_default_str();
  command->add_option("--informative-attributes", flags->plant.informative, "how many of them, the first, say anything; the rest is noise")
      ->capture_default_str();
  command->add_option("--plant", flags->truth, "how tastes follow from attributes; non-linear: from pairs of them")
      ->check(CLI::IsMember({"linear", "non-linear"}))
      ->capture_default_str();
  command->add_option("--taste-noise", flags->plant.taste_noise, "the share of tastes that attributes do not tell")->capture_default_str();
  command->add_option("--missing", flags->plant.missing_share, "the share of their values that is missing")->capture_default_str();
  command->add_option("--seed", flags->seed, "the same seed gives the same bytes")->capture_default_str();
  command->add_option("--format", flags->format, "of the events' file")->check(CLI::IsMember({"csv", "jsonl"}))->capture_default_str();
  command->add_option("--order", flags->order, "of the event rows; by time takes 40 bytes of memory per event")
      ->check(CLI::IsMember({"customer", "time"}))
      ->capture_default_str();
  command->add_option("--out", flags->out, "the folder to write into")->required();
  command->add_flag("--json", flags->json, "print the result as JSON");
  command->footer(
      "Example:\n  bouquet generate --customers 20000 --items 5000 --events 1000000 --out shop\n"
      "  bouquet train --events shop/events.csv --items shop/items.csv --models models\n"
      "  bouquet generate --customers 100000 --attributes 20 --out shop\n"
      "  bouquet train --events shop/events.csv --items shop/items.csv --customers shop/customers.csv --config shop/bouquet.toml --models "
      "m");
  command->callback([flags, &exit_code] { exit_code = report(run(*flags)); });
}

}  // namespace bouquet::training

// A program with a few commands like ours, for the tests of the settings.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bouquet::cli {

struct ShopApp {
  CLI::App app;
  std::vector<std::string> events;
  std::string columns;
  std::vector<std::string> where;
  std::vector<std::string> files;
  int threads = 0;
  int top = 10;
  bool dry_run = false;
  bool json = false;
  std::string models = "models";
  std::string title;

  ShopApp() {
    app.require_subcommand(1);
    app.option_defaults()->always_capture_default();
    CLI::App* train = app.add_subcommand("train");
    train->add_option("--events", events)->required();
    train->add_option("--columns", columns);
    train->add_option("--where", where);
    train->add_option("--threads", threads);
    train->add_option("--title", title);
    train->add_flag("--dry-run", dry_run);
    CLI::App* recommend = app.add_subcommand("recommend");
    recommend->add_option("-k,--top", top);
    recommend->add_flag("-j,--json", json);
    CLI::App* inspect = app.add_subcommand("inspect");
    inspect->add_option("files", files);
    inspect->add_option("--where", where);
    CLI::App* models_command = app.add_subcommand("models");
    models_command->require_subcommand(1);
    models_command->add_subcommand("list")->add_option("--models", models);
    models_command->add_subcommand("show")->add_option("--models", models);
  }
};

}  // namespace bouquet::cli

// `bouquet`: one program. Each subcommand lives in the folder it belongs to and adds itself here.
#include <CLI/CLI.hpp>

#include "bench/bench_command.h"
#include "cli/backends.h"
#include "cli/config_command.h"
#include "cli/doctor_command.h"
#include "cli/erasures_command.h"
#include "cli/models_command.h"
#include "cli/settings.h"
#include "cli/store_command.h"
#include "cli/store_events.h"
#include "server/export_command.h"
#include "server/item_commands.h"
#include "server/merge_commands.h"
#include "server/recommend_command.h"
#include "server/record_command.h"
#include "server/serve_command.h"
#include "training/evaluate_command.h"
#include "training/generate_command.h"
#include "training/inspect_command.h"
#include "training/train_command.h"

int main(int argc, char** argv) {
  CLI::App app{"Bouquet: a personalization engine. Trains a profile per customer and answers what to offer next."};
  app.name("bouquet");
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  app.set_version_flag("--version", std::string("bouquet " BOUQUET_VERSION));
  int exit_code = 0;
  bouquet::training::add_train_command(app, bouquet::make_backend, bouquet::cli::open_store_events, exit_code);
  bouquet::training::add_evaluate_command(app, bouquet::make_backend, exit_code);
  bouquet::server::add_recommend_command(app, bouquet::make_backend, exit_code);
  bouquet::server::add_similar_command(app, bouquet::make_backend, exit_code);
  bouquet::server::add_cross_sell_command(app, bouquet::make_backend, exit_code);
  bouquet::server::add_record_command(app, exit_code);
  bouquet::server::add_export_command(app, exit_code);
  bouquet::server::add_merge_commands(app, exit_code);
  bouquet::server::add_serve_command(app, bouquet::make_backend, exit_code);
  bouquet::training::add_inspect_command(app, exit_code);
  bouquet::cli::add_models_command(app, exit_code);
  bouquet::cli::add_erasures_command(app, exit_code);
  bouquet::cli::add_store_command(app, exit_code);
  bouquet::training::add_generate_command(app, exit_code);
  bouquet::cli::add_bench_command(app, bouquet::make_backend, exit_code);
  bouquet::cli::add_doctor_command(app, bouquet::make_backend, exit_code);
  bouquet::cli::add_config_command(app, exit_code);

  const int ended = bouquet::cli::parse_command_line(app, argc, argv);
  return ended == bouquet::cli::kNotEnded ? exit_code : ended;
}

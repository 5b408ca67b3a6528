#include "cli/models_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/model_reports.h"
#include "engine/errors.h"
#include "engine/models_directory.h"

namespace bouquet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ModelsFlags {
  std::string models, version, second;
  bool json = false;
};

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }
void print(const ModelsFlags& flags, const Json& json, const std::string& text) { print(flags.json ? json_text(json) : text); }

ListedModel listed(const ModelsDirectory& directory, const std::string& version) {
  const auto current = directory.current();
  return {version, current.ok() && *current == version, directory.manifest(version)};
}

absl::Status list(const ModelsDirectory& directory, const ModelsFlags& flags) {
  std::vector<ListedModel> models;
  for (const std::string& version : directory.versions()) models.push_back(listed(directory, version));
  print(flags, list_json(models), list_text(models));
  const bool has_current = std::any_of(models.begin(), models.end(), [](const ListedModel& m) { return m.current; });
  if (!models.empty() && !has_current) std::fprintf(stderr, "bouquet: none of them is current; `bouquet models activate` makes one\n");
  return absl::OkStatus();
}

// Without a version: the current one.
absl::Status show(const ModelsDirectory& directory, const ModelsFlags& flags) {
  const absl::StatusOr<std::string> version = flags.version.empty() ? directory.current() : absl::StatusOr<std::string>(flags.version);
  if (!version.ok()) return version.status();
  const ListedModel model = listed(directory, *version);
  if (!model.manifest.ok()) return model.manifest.status();
  print(flags, show_json(model), show_text(model));
  return absl::OkStatus();
}

// Makes `version` current if all of it is sound.
absl::Status activate_verified(ModelsDirectory& directory, const std::string& version, const ModelsFlags& flags) {
  if (const auto model = directory.load(version); !model.ok()) return model.status();
  const std::string before = directory.current().value_or("");
  if (absl::Status s = directory.activate(version); !s.ok()) return s;
  print(flags, {{"current", version}, {"before", before.empty() ? Json(nullptr) : Json(before)}},
        version + " is current" + (before.empty() || before == version ? "" : "; it was " + before) + "\n");
  return absl::OkStatus();
}

absl::Status roll_back(ModelsDirectory& directory, const ModelsFlags& flags) {
  const absl::StatusOr<std::string> current = directory.current();
  if (!current.ok()) return current.status();
  const std::vector<std::string> known = directory.versions();
  const auto at = std::lower_bound(known.begin(), known.end(), *current);
  if (at == known.begin()) return absl::FailedPreconditionError("there is no version older than " + *current + " in " + directory.path());
  return activate_verified(directory, *(at - 1), flags);
}

// One version, or all of them.
absl::Status verify(const ModelsDirectory& directory, const ModelsFlags& flags) {
  const std::vector<std::string> wanted = flags.version.empty() ? directory.versions() : std::vector<std::string>{flags.version};
  Json all = Json::array();
  absl::Status first_fault;
  for (const std::string& version : wanted) {
    const absl::Status status = directory.load(version).status();
    if (status.code() == absl::StatusCode::kNotFound) return status;
    first_fault.Update(status);
    const std::string fault(message_of(status));
    all.push_back({{"version", version}, {"sound", status.ok()}, {"fault", status.ok() ? Json(nullptr) : Json(fault)}});
    if (!flags.json) print(version + (status.ok() ? ": sound\n" : ": damaged\n"));
  }
  if (flags.json) print(json_text({{"versions", all}}));
  return first_fault;
}

absl::Status diff(const ModelsDirectory& directory, const ModelsFlags& flags) {
  const auto first = directory.load(flags.version);
  if (!first.ok()) return first.status();
  const auto second = directory.load(flags.second);
  if (!second.ok()) return second.status();
  const auto first_manifest = directory.manifest(flags.version), second_manifest = directory.manifest(flags.second);
  if (!first_manifest.ok()) return first_manifest.status();
  if (!second_manifest.ok()) return second_manifest.status();
  const ModelDifference d = difference(**first, **second);
  print(flags, diff_json(*first_manifest, *second_manifest, d), diff_text(*first_manifest, *second_manifest, d));
  return absl::OkStatus();
}

using Action = absl::Status (*)(ModelsDirectory&, const ModelsFlags&);

CLI::App* add_action(CLI::App& models, const char* name, const char* example, const char* description, std::shared_ptr<ModelsFlags> flags,
                     int& exit_code, Action action) {
  CLI::App* command = models.add_subcommand(name, description);
  command->add_option("--models", flags->models, "The models directory")->required()->type_name("DIR");
  command->add_flag("--json", flags->json, "Print one JSON document");
  command->callback([flags, &exit_code, action] {
    absl::StatusOr<ModelsDirectory> directory = ModelsDirectory::open_existing(flags->models);
    exit_code = report(directory.ok() ? action(*directory, *flags) : directory.status());
  });
  command->footer("Example: bouquet models " + std::string(name) + example + " --models models");
  return command;
}

}  // namespace

void add_models_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<ModelsFlags>();
  CLI::App* models = app.add_subcommand("models", "List, show, activate, verify and compare the models of a directory");
  models->require_subcommand(1);
  models->footer(
      "Example:\n  bouquet models list --models models\n  bouquet models activate 20261124T151203Z-1f3a5c7e --models models\n"
      "  bouquet models rollback --models models");
  const auto add = [&](const char* name, const char* example, const char* description, Action action) {
    return add_action(*models, name, example, description, flags, exit_code, action);
  };
  add("list", "", "Every version, oldest first; * marks the one that serves",
      [](ModelsDirectory& d, const ModelsFlags& f) { return list(d, f); });
  add("show", " 20261124T151203Z-1f3a5c7e", "Where a version comes from and how good it was; the current one if none is named",
      [](ModelsDirectory& d, const ModelsFlags& f) { return show(d, f); })
      ->add_option("version", flags->version, "The version's name")
      ->type_name("V");
  add("activate", " 20261124T151203Z-1f3a5c7e", "Verify a version and make it the one that serves",
      [](ModelsDirectory& d, const ModelsFlags& f) { return activate_verified(d, f.version, f); })
      ->add_option("version", flags->version, "The version's name")
      ->required()
      ->type_name("V");
  add("rollback", "", "Verify the version before the current one and make it the one that serves",
      [](ModelsDirectory& d, const ModelsFlags& f) { return roll_back(d, f); });
  add("verify", " 20261124T151203Z-1f3a5c7e", "Check every byte and every number of a version, or of all of them",
      [](ModelsDirectory& d, const ModelsFlags& f) { return verify(d, f); })
      ->add_option("version", flags->version, "The version's name")
      ->type_name("V");
  CLI::App* compare = add("diff", " 20261124T151203Z-1f3a5c7e 20261125T020010Z-9b8d7f60",
                          "What changed from one version to another: settings, counts, figures, items, neighbours",
                          [](ModelsDirectory& d, const ModelsFlags& f) { return diff(d, f); });
  compare->add_option("first", flags->version, "The version's name")->required()->type_name("V");
  compare->add_option("second", flags->second, "The other version's name")->required()->type_name("W");
}

}  // namespace bouquet::cli

#include "cli/store_reports.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace bouquet::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string time_text(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }
std::string mebibytes(uint64_t bytes) { return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20)); }
double days(uint64_t seconds) { return static_cast<double>(seconds) / (24 * 3600); }

}  // namespace

Json json_of(const server::Backup& backup) {
  Json json{{"backup", backup.number},
            {"time", time_text(absl::FromUnixSeconds(backup.time))},
            {"bytes", backup.bytes},
            {"store_identity", backup.store_identity},
            {"sequence", backup.sequence}};
  if (backup.store_identity.empty()) json.erase("store_identity");  // a server does not say it
  return json;
}

Json json_of(const server::StoreCheck& check) {
  return {{"sound", check.problem_count == 0},
          {"store_identity", check.identity},
          {"newest_sequence", check.newest_sequence},
          {"events", check.events},
          {"customers", check.customers},
          {"items", check.items},
          {"event_types", check.event_types},
          {"attributes", check.attributes},
          {"event_ids", check.event_ids},
          {"erasures", check.erasures},
          {"merges", check.merges},
          {"answers", check.answers},
          {"catalog_items", check.catalog_items},
          {"problem_count", check.problem_count},
          {"problems", check.problems}};
}

Json json_of(const server::StoreFigures& figures) {
  const auto time = [&](int64_t microseconds) {
    return figures.events == 0 ? Json(nullptr) : Json(time_text(absl::FromUnixMicros(microseconds)));
  };
  return {{"events", figures.events},
          {"customers", figures.customers},
          {"items", figures.items},
          {"event_types", figures.event_types},
          {"merges", figures.merges},
          {"answers", figures.answers},
          {"newest_sequence", figures.newest_sequence},
          {"event_id_days", days(figures.event_id_seconds)},
          {"bytes", figures.bytes()},
          {"table_bytes", figures.table_bytes},
          {"log_bytes", figures.log_bytes},
          {"bytes_per_event",
           figures.events == 0 ? Json(nullptr) : Json(static_cast<double>(figures.bytes()) / static_cast<double>(figures.events))},
          {"oldest_event", time(figures.oldest_time)},
          {"newest_event", time(figures.newest_time)}};
}

std::string text_of(const server::Backup& backup) {
  return absl::StrCat("backup ", backup.number, " of ", time_text(absl::FromUnixSeconds(backup.time)), ": ", mebibytes(backup.bytes),
                      ", everything up to arrival ", backup.sequence);
}

std::string text_of(const server::StoreCheck& check) {
  std::string text =
      absl::StrCat("events          ", check.events, "\ncustomers       ", check.customers, "\nitems           ", check.items,
                   "\nevent types     ", check.event_types, "\nattributes      ", check.attributes, "\nevent ids       ", check.event_ids,
                   "\nerasures        ", check.erasures, "\nmerges          ", check.merges, "\nlogged answers  ", check.answers,
                   "\ncatalog items   ", check.catalog_items, "\nnewest arrival  ", check.newest_sequence, "\n");
  for (const std::string& problem : check.problems) absl::StrAppend(&text, "damaged: ", problem, "\n");
  if (check.problem_count > check.problems.size())
    absl::StrAppend(&text, "... and ", check.problem_count - check.problems.size(), " more\n");
  return text + (check.problem_count == 0 ? "sound\n" : "");
}

std::string text_of(const server::StoreFigures& figures) {
  std::string text =
      absl::StrCat("events          ", figures.events, "\ncustomers       ", figures.customers, "\nitems           ", figures.items,
                   "\nevent types     ", figures.event_types, "\nmerges          ", figures.merges, "\nlogged answers  ", figures.answers,
                   "\nnewest arrival  ", figures.newest_sequence, "\nevent ids kept  ", days(figures.event_id_seconds),
                   " days\nsize            ", mebibytes(figures.bytes()), " (", mebibytes(figures.log_bytes), " of it log)\n");
  if (figures.events == 0) return text;
  return text + absl::StrFormat("bytes an event  %.1f\noldest event    %s\nnewest event    %s\n",
                                static_cast<double>(figures.bytes()) / static_cast<double>(figures.events),
                                time_text(absl::FromUnixMicros(figures.oldest_time)), time_text(absl::FromUnixMicros(figures.newest_time)));
}

}  // namespace bouquet::cli

// What `bouquet store` prints.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/event_store/store_backup.h"
#include "server/event_store/store_check.h"
#include "server/event_store/store_figures.h"

namespace bouquet::cli {

nlohmann::ordered_json json_of(const server::Backup& backup);
nlohmann::ordered_json json_of(const server::StoreCheck& check);
nlohmann::ordered_json json_of(const server::StoreFigures& figures);

// One line, as "backup 3 of 2026-11-25T20:01:02Z: 12.3 MiB, everything up to arrival 41,000".
std::string text_of(const server::Backup& backup);
std::string text_of(const server::StoreCheck& check);
std::string text_of(const server::StoreFigures& figures);

}  // namespace bouquet::cli

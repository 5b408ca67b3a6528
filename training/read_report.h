// What was read and what was not used, for people.
#pragma once

#include <string>

#include "training/dataset.h"

namespace bouquet::training {

// A few lines, each ended by a newline; only what happened is mentioned.
std::string read_report_text(const Dataset& dataset);

}  // namespace bouquet::training

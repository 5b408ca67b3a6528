// Reads an EventSource into the same builder as files are read into, by the same rules.
#pragma once

#include "absl/status/status.h"
#include "training/dataset.h"
#include "training/event_log_builder.h"
#include "training/event_rows.h"
#include "training/event_source.h"

namespace bouquet::training {

// Events of types that are not registered are left out and counted: what a server stores does not wait for a configuration. Errors: those
// of the source and of EventLogBuilder::add.
absl::Status read_source(EventSource& source, const RowRules& rules, EventLogBuilder& builder, ReadReport& report);

}  // namespace bouquet::training

// The constants of a model as the manifest and a training's checkpoints write them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "engine/json_fields.h"
#include "engine/model.h"

namespace bouquet {

nlohmann::ordered_json model_constants_json(const ModelConstants& constants);
// `format_minor`: of the manifest that they are from (manifest.h): before 6 they had no share for empty histories.
ModelConstants read_model_constants(const JsonFields& fields, int32_t format_minor);

}  // namespace bouquet

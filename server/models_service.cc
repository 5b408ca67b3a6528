#include "server/models_service.h"

#include <algorithm>
#include <string>

#include "engine/attribute_layout.h"
#include "engine/errors.h"
#include "server/status_mapping.h"

namespace bouquet::server {
namespace {

constexpr int kDefaultPage = 50;
constexpr int kMaxPage = 1000;

// A version that cannot be served is the caller's to mend: FAILED_PRECONDITION, with what is wrong.
grpc::Status refusal(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kNotFound) return to_grpc(status);
  return {grpc::StatusCode::FAILED_PRECONDITION, std::string(message_of(status))};
}

void write_schema(const AttributeSchema& schema, v1::AttributeSchema* out) {
  out->set_version(layout_version(schema));
  out->set_column_count(schema.column_count());
  for (size_t a = 0; a < schema.attributes().size(); ++a) {
    const Attribute& attribute = schema.attributes()[a];
    const AttributeSchema::Place& place = schema.place(a);
    v1::SchemaAttribute* row = out->add_attributes();
    row->set_name(attribute.name);
    row->set_type(std::string(attribute_type_name(attribute.type())));
    if (place.dense_count > 0) row->set_dense_column(place.dense);
    row->set_dense_count(place.dense_count);
    row->set_missing_column(place.missing());
    const auto* category = std::get_if<CategoryTransform>(&attribute.transform);
    const auto* set = std::get_if<SetTransform>(&attribute.transform);
    if (category != nullptr || set != nullptr || attribute.type() == AttributeType::kFlag) row->set_value_column(place.sparse);
    if (set != nullptr) row->set_weighted(set->weighted);
    if (const auto* values = category != nullptr ? &category->values : set != nullptr ? &set->values : nullptr; values != nullptr)
      for (const std::string& value : *values) row->add_values(value);
  }
}

std::string serving_version(const ModelStore& store) {
  const auto serving = store.serving();
  return serving == nullptr ? std::string() : serving->model->version();
}

void describe(const ModelStore& store, const std::string& version, v1::Model* model) {
  model->set_version(version);
  const auto current = store.directory().current();
  model->set_current(current.ok() && *current == version);
  model->set_serving(serving_version(store) == version);
  const auto manifest = store.directory().manifest(version);
  if (!manifest.ok()) {
    model->set_problem(std::string(message_of(manifest.status())));
    return;
  }
  const Artifact& artifact = manifest->artifact;
  model->set_parent(artifact.parent);
  for (const ReplacedVersion& one : artifact.replaces) model->add_replaces(one.version);
  *model->mutable_create_time() = timestamp(artifact.created_at);
  model->set_item_count(manifest->item_count);
  model->set_customer_count(manifest->customer_count);
  model->set_dimension(artifact.recipe.options.dimension);
  model->set_trained_with(artifact.recipe.backend);
  for (const MetricTable& table : artifact.metrics)
    for (const Metric& metric : table.metrics) {
      v1::ModelMetric* out = model->add_metrics();
      out->set_subject(table.subject);
      out->set_repeats(table.repeats);
      out->set_name(metric.name);
      out->set_value(metric.value);
      out->set_low(metric.low);
      out->set_high(metric.high);
    }
}

}  // namespace

grpc::Status ModelsService::ListModels(grpc::ServerContext*, const v1::ListModelsRequest* request, v1::ListModelsResponse* response) {
  const auto store = models_.find(request->placement());
  if (!store.ok()) return to_grpc(store.status());
  if (request->page_size() < 0 || request->page_size() > kMaxPage)
    return {grpc::StatusCode::INVALID_ARGUMENT, "page_size: must be 1 to 1000, or 0 for the default of 50"};
  const int size = request->page_size() == 0 ? kDefaultPage : request->page_size();
  auto versions = (*store)->directory().versions();
  std::reverse(versions.begin(), versions.end());
  for (const std::string& version : versions) {
    // The token is the last version of the page before: pages stay right when versions come or go.
    if (!request->page_token().empty() && version >= request->page_token()) continue;
    if (response->models_size() == size) {
      response->set_next_page_token(response->models(size - 1).version());
      break;
    }
    describe(**store, version, response->add_models());
  }
  return grpc::Status::OK;
}

grpc::Status ModelsService::GetModel(grpc::ServerContext*, const v1::GetModelRequest* request, v1::Model* response) {
  const auto store = models_.find(request->placement());
  if (!store.ok()) return to_grpc(store.status());
  const std::string version = request->version().empty() ? serving_version(**store) : request->version();
  if (version.empty()) return {grpc::StatusCode::NOT_FOUND, "no model serves yet"};
  const auto versions = (*store)->directory().versions();
  if (std::find(versions.begin(), versions.end(), version) == versions.end())
    return {grpc::StatusCode::NOT_FOUND, "there is no model of that version"};
  describe(**store, version, response);
  // What serves may have changed since.
  if (const auto serving = (*store)->serving(); serving != nullptr && serving->model->version() == version)
    if (const AttributeSchema& schema = serving->model->artifact().customer_attributes.schema; !schema.empty())
      write_schema(schema, response->mutable_attribute_schema());
  return grpc::Status::OK;
}

grpc::Status ModelsService::ActivateModel(grpc::ServerContext*, const v1::ActivateModelRequest* request,
                                          v1::ActivateModelResponse* response) {
  const auto store = models_.find(request->placement());
  if (!store.ok()) return to_grpc(store.status());
  if (request->version().empty()) return {grpc::StatusCode::INVALID_ARGUMENT, "version: must not be empty"};
  if (absl::Status s = (*store)->activate(request->version(), request->validate_only()); !s.ok()) return refusal(s);
  describe(**store, request->version(), response->mutable_model());
  return grpc::Status::OK;
}

grpc::Status ModelsService::RollBack(grpc::ServerContext*, const v1::RollBackRequest* request, v1::RollBackResponse* response) {
  const auto store = models_.find(request->placement());
  if (!store.ok()) return to_grpc(store.status());
  if (absl::Status s = (*store)->roll_back(); !s.ok()) return refusal(s);
  describe(**store, serving_version(**store), response->mutable_model());
  return grpc::Status::OK;
}

}  // namespace bouquet::server

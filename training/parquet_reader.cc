#include "training/parquet_reader.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include <algorithm>
#include <utility>

#include "engine/errors.h"
#include "training/arrow_cells.h"

namespace bouquet::training {
namespace {

constexpr int64_t kBatchRows = 16384;

class ParquetReader : public TableReader {
 public:
  static absl::StatusOr<std::unique_ptr<TableReader>> open(const std::string& path) {
    auto reader = std::make_unique<ParquetReader>(path);
    if (auto status = reader->open_file(); !status.ok()) return bad_input(path + ": " + status.ToStringWithoutContextLines());
    for (const auto& field : reader->schema_->fields()) {
      if (std::find(reader->columns_.begin(), reader->columns_.end(), field->name()) != reader->columns_.end())
        return bad_input(path + ": has two columns named " + quoted_for_message(field->name()));
      reader->columns_.push_back(field->name());
    }
    return reader;
  }

  explicit ParquetReader(std::string path) : path_(std::move(path)) {}

  const std::vector<std::string>& columns() const override { return columns_; }
  std::string place(const Block& block, int64_t row) const override {
    return path_ + ": row group " + std::to_string(block.row_group) + ", row " + std::to_string(block.first_row + row);
  }
  std::string_view format() const override { return "Parquet"; }
  int64_t bytes_read() const override { return 0; }

  absl::StatusOr<bool> next_block(const Projection& projection, Block& block) override {
    try {
      while (group_ < file_->num_row_groups()) {
        if (batches_ == nullptr) {
          auto batches = file_->GetRecordBatchReader({group_}, leaves(projection));
          if (!batches.ok()) return damaged(batches.status());
          batches_ = *std::move(batches);
          row_ = 0;
        }
        auto batch = batches_->Next();
        if (!batch.ok()) return damaged(batch.status());
        if (*batch != nullptr) {
          block.row_group = group_;
          block.first_row = std::exchange(row_, row_ + (*batch)->num_rows());
          block.batch = *batch;
          return true;
        }
        batches_ = nullptr;
        ++group_;
      }
    } catch (const std::exception& error) {  // parquet:: throws where arrow:: returns
      return bad_input(path_ + ": row group " + std::to_string(group_) + ": " + error.what());
    }
    return false;
  }

  absl::Status parse(const Block& block, const Projection& projection, RowSink& sink) const override {
    const auto& batch = *static_cast<const arrow::RecordBatch*>(block.batch.get());
    std::vector<std::pair<ArrowCells, const std::vector<int>*>> columns;
    for (int c = 0; c < batch.num_columns(); ++c) {
      const auto at = std::find(columns_.begin(), columns_.end(), batch.schema()->field(c)->name()) - columns_.begin();
      columns.emplace_back(ArrowCells(batch.column(c)), &projection.slots_of_column[static_cast<size_t>(at)]);
    }
    std::vector<Cell> cells(static_cast<size_t>(projection.slot_count));
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (const auto& [column, slots] : columns) {
        const Cell cell = column.at(row, sink.arena());
        for (const int slot : *slots) cells[static_cast<size_t>(slot)] = cell;
      }
      sink.add_row(row, cells);
    }
    return absl::OkStatus();
  }

 private:
  arrow::Status open_file() {
    try {
      ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path_));
      parquet::arrow::FileReaderBuilder builder;
      ARROW_RETURN_NOT_OK(builder.Open(std::move(input)));
      auto properties = parquet::default_arrow_reader_properties();
      properties.set_batch_size(kBatchRows);
      properties.set_use_threads(false);
      properties.set_pre_buffer(false);  // it would hold whole column chunks
      builder.properties(properties);
      ARROW_RETURN_NOT_OK(builder.Build(&file_));
      return file_->GetSchema(&schema_);
    } catch (const std::exception& error) {
      return arrow::Status::IOError(error.what());
    }
  }

  // The leaf columns of the wanted fields: a nested field has several.
  std::vector<int> leaves(const Projection& projection) const {
    std::vector<int> wanted;
    const auto* schema = file_->parquet_reader()->metadata()->schema();
    for (int leaf = 0; leaf < schema->num_columns(); ++leaf) {
      const int field = schema->group_node()->FieldIndex(*schema->GetColumnRoot(leaf));
      if (field >= 0 && !projection.slots_of_column[static_cast<size_t>(field)].empty()) wanted.push_back(leaf);
    }
    return wanted;
  }

  absl::Status damaged(const arrow::Status& status) const {
    return bad_input(path_ + ": row group " + std::to_string(group_) + ": " + status.ToStringWithoutContextLines());
  }

  std::string path_;
  std::vector<std::string> columns_;
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int group_ = 0;
  int64_t row_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> open_parquet(const std::string& path) { return ParquetReader::open(path); }

bool can_read_parquet() { return true; }

}  // namespace bouquet::training

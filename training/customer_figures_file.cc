#include "training/customer_figures_file.h"

#include "absl/strings/str_format.h"
#include "training/customer_figures.h"
#include "training/text_file_writer.h"

namespace bouquet::training {
namespace {

// RFC 4180.
void put_text(TextFileWriter& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return out.put(text);
  out.put('"');
  for (const char c : text) {
    if (c == '"') out.put('"');
    out.put(c);
  }
  out.put('"');
}

void put_names(TextFileWriter& out, const CustomerFigures& figures) {
  out.put("customer_id,group,subject");
  for (const std::string& name : figures.names) {
    out.put(',');
    out.put(name);
  }
  out.put('\n');
}

}  // namespace

absl::Status write_customer_figures(const std::string& path, const std::vector<JudgedGroup>& groups, Repeats repeats,
                                    const std::function<std::string_view(CustomerIndex)>& customer_id) {
  auto out = TextFileWriter::create(path);
  if (!out.ok()) return out.status();
  bool has_names = false;
  for (const JudgedGroup& group : groups) {
    const JudgedCustomers judged = judged_customers(*group.tests, group.known->histories, repeats, group.with_unknown);
    for (const Subject& subject : *group.subjects) {
      const CustomerFigures figures = customer_figures(subject.answers, judged, *group.known->popularity);
      if (!has_names) put_names(*out, figures);
      has_names = true;
      for (size_t i = 0; i < judged.tests.size(); ++i) {
        put_text(*out, customer_id(group.tests->asked[static_cast<size_t>(judged.tests[i])]));
        out->put("," + group.name + "," + subject.name);
        for (const std::vector<float>& column : figures.columns) out->put(absl::StrFormat(",%.7g", column[i]));
        out->put('\n');
      }
    }
  }
  return out->finish();
}

}  // namespace bouquet::training

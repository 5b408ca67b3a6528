// The figures behind the means of an evaluation, customer by customer, as a file: so that evaluations of other models or of other parts of
// the customers can be put beside each other in pairs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "training/evaluator.h"

namespace bouquet::training {

// Subjects, and whom they answered.
struct JudgedGroup {
  std::string name;
  const std::vector<Subject>* subjects = nullptr;
  const TestSet* tests = nullptr;
  const Knowledge* known = nullptr;
  bool with_unknown = false;  // the second row instead of the main one
};

// CSV: customer_id, group, subject, and a column for every metric; a row for each customer of the group's row of
// figures and each subject. Errors:
// ResourceExhausted, naming the file.
absl::Status write_customer_figures(const std::string& path, const std::vector<JudgedGroup>& groups, Repeats repeats,
                                    const std::function<std::string_view(CustomerIndex)>& customer_id);

}  // namespace bouquet::training

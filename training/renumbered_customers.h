// Customers of a dataset after some have lost their events to nobody or to others.
#pragma once

#include "training/dataset.h"

namespace bouquet::training {

// Gives the customers who still have events their numbers anew, in the old order, and leaves the others out. Events stay where they are.
void renumber_customers(Dataset& dataset);

}  // namespace bouquet::training

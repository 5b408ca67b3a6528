// Unary calls that change what is known of customers: RecordEvents, SetAttributes, EraseCustomer, MergeCustomers and UnmergeCustomers,
// answered from the store's thread.
#pragma once

#include <google/protobuf/arena.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "bouquet/v1/profiles.pb.h"
#include "server/event_intake.h"
#include "server/metrics.h"

namespace bouquet::server {

// Reads, checks and hands on one call. The reactor is gRPC's own.
grpc::ServerUnaryReactor* start_record_events(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                              EventIntake& intake, Metrics& metrics);
grpc::ServerUnaryReactor* start_set_attributes(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                               EventIntake& intake, Metrics& metrics);
grpc::ServerUnaryReactor* start_erase_customer(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                               EventIntake& intake, Metrics& metrics);
grpc::ServerUnaryReactor* start_merge_customers(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                                EventIntake& intake, Metrics& metrics);
grpc::ServerUnaryReactor* start_unmerge_customers(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                                  EventIntake& intake, Metrics& metrics);

}  // namespace bouquet::server

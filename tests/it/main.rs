//! The one binary of the tests that need real things: a control plane, processes, sockets.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test program talks to its reader")]
#![allow(clippy::large_futures, reason = "a story is one long future, made once")]

mod admission;
#[allow(dead_code, reason = "the loop's tests use what is not needed here")]
#[path = "../apiserver/server.rs"]
mod apiserver;
#[path = "../network/authority.rs"]
mod authority;
mod backup;
mod chart;
mod cluster;
mod columns;
mod conformity;
#[allow(dead_code, reason = "the transport's tests use what is not needed here")]
#[path = "../network/connect_proxy.rs"]
mod connect_proxy;
mod control_plane;
mod corpus;
mod crds;
mod endpoint_adoption;
mod endpoint_consent;
mod endpoint_crashes;
mod endpoint_drift;
mod endpoint_fields;
mod endpoint_life;
mod endpoint_publish;
mod endpoint_scale;
mod entry_crashes;
mod entry_decisions;
mod entry_life;
mod entry_revocation;
mod entry_scale;
mod failures;
mod federation;
mod gitops;
mod identities;
mod killing;
mod kube_door;
mod link;
mod metrics_recorded;
mod network;
mod objects;
mod older_crds;
mod operator;
mod past;
mod process;
mod rbac;
mod recorded;
mod release;
mod replicas;
mod rotation;
mod round_trip;
mod service;
mod service_adoption;
mod service_crashes;
mod service_deletion;
mod service_drift;
mod service_fields;
mod service_scale;
mod settings_file;
mod story;
mod terminal;
mod zone_crashes;
mod zone_evacuation;
mod zone_life;
mod zone_refused;

//! The tests of the decisions' package that need files and programs: its laws.

mod assignment_storm;
mod assignment_table;
mod assignment_walk;
mod claims;
mod endpoint_change;
mod endpoint_ours;
mod endpoint_storm;
mod endpoint_teardown;
mod endpoint_walk;
mod entry_revocation;
mod entry_storm;
mod entry_table;
mod entry_walk;
mod evacuation_walk;
mod golden;
mod laws;
mod service_storm;
mod service_teardown;
mod service_walk;
mod stage;
mod wire_alibaba;
mod zones_page;

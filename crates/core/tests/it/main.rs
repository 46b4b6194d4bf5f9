//! The tests of the decisions' package that need files and programs: its laws.

mod golden;
mod laws;
mod service_storm;
mod service_teardown;
mod service_walk;
mod stage;
mod wire_alibaba;

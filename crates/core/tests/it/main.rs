//! The tests of the decisions' package that need files and programs: its laws.

mod laws;

//! The door before a service that answers as a test says.
